"""The corpus itself: each right gradient is compared with a truth found in another way."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from corpus import PART7_RIGHT, PART7_WRONG, RIGHT, WRONG
from corpus.cases import Case, Wrong, rms_of_blocks
from corpus.digits import by_complex_step, by_digits, by_sides
from corpus.float32_kinks import VARIATIONS, float32_relu

from fastgrad.problem.parameters import Parameters


def by_name(cases):
    """Cases as parameters of a test."""
    return [pytest.param(case, id=case.name) for case in cases]


@cache
def truth_of(case):
    """The truth of a case, which its twins share."""
    return case.truth()


@pytest.mark.parametrize("case", by_name(PART7_RIGHT))
def test_right(case):
    """A right gradient is the truth to what its case claims, which is finer than what is seen."""
    truth = truth_of(case)
    claimed = case.right_gradient()
    rms = rms_of_blocks(case.params, truth)
    assert np.all(np.abs(claimed - truth) <= case.exact * np.abs(truth) + case.rounding * rms)
    assert case.exact < case.sees / 2
    assert case.sees <= 1e-2 or case.reasons
    assert case.rounding <= case.floor / 2


MOST = 12
"""As many coordinates of a case are looked at."""


@pytest.mark.parametrize("case", by_name([c for c in PART7_RIGHT if c.expected in ("agree", "inexact")]))
def test_seen(case):
    """Three central differences in a row, of some steps, are as close to the truth as the case says."""
    truth = truth_of(case)
    rms = rms_of_blocks(case.params, truth)
    order = np.argsort(np.abs(truth))
    for i in np.unique(order[np.linspace(0, len(order) - 1, min(MOST, len(order))).astype(int)]):
        error = least_error(case, int(i), truth[i])
        if not truth.any():
            assert error <= 1e-9
            continue
        assert error <= case.sees * abs(truth[i]) + case.floor * rms[i], (i, error, truth[i], rms[i])


HALVINGS = 120
"""Of the largest step, unless a step moves nothing before."""


def least_error(case, i, truth):
    """The error of the worst of three neighbouring steps, where it is least."""
    parameters = Parameters(case.params)
    block = parameters.block_of(i)
    number = parameters.blocks.index(block)
    x = parameters.leaves[number][i - block.start]
    largest = 2.0 ** np.ceil(np.log2(max(abs(float(x)), parameters.typical_size(number), 1.0)))
    errors = []
    with np.errstate(all="ignore"):
        for k in range(-1, HALVINGS):
            sides = [x.dtype.type(x + s * largest / 2.0**k) for s in (1, -1)]
            if sides[0] == sides[1]:
                break
            values = [
                float(case.cost(_moved(parameters, number, i - block.start, v), *case.args)) for v in sides
            ]
            errors.append(abs((values[0] - values[1]) / (float(sides[0]) - float(sides[1])) - truth))
    errors = np.nan_to_num(np.array(errors), nan=np.inf)
    return np.max([errors[:-2], errors[1:-1], errors[2:]], axis=0).min()


def _moved(parameters, number, position, value):
    leaves = [leaf.copy() for leaf in parameters.leaves]
    leaves[number][position] = value
    return parameters.build_arrays(leaves)


@pytest.mark.parametrize("case", by_name(PART7_WRONG))
def test_wrong(case):
    """A wrong gradient has an error that can be seen, unless it says otherwise, where it says."""
    assert case.hidden or case.seen().any()
    assert case.sizes().max() > 1e-6
    if case.where is not None:
        labels = np.array([Parameters(case.twin.params).label(i) for i in range(len(case.sizes()))])
        claims = case.sizes() > case.twin.exact
        assert set(labels[claims]) == set(case.where)


@pytest.mark.parametrize("seed", range(5, 13))
def test_any_seed(seed):
    """The builder of relu nets makes right cases of other seeds than those in the lists, too."""
    for variation in VARIATIONS:
        test_right(float32_relu(seed, **variation))


@pytest.mark.parametrize("case", by_name([c for c in PART7_RIGHT if c.expected == "inexact"]))
def test_inexact(case):
    """The slope over steps of 1e-4 and of 1e-5 is off by more than 1e-6 of some entry."""
    x, truth = case.params, truth_of(case)
    for h in (1e-4, 1e-5):
        slopes = [
            (case.cost(x + h * e, *case.args) - case.cost(x - h * e, *case.args)) / (2 * h)
            for e in np.eye(len(x))
        ]
        assert np.any(np.abs(slopes - truth) > 1e-6 * np.abs(truth))


def test_kinds():
    """Each right case is of a known kind; points on kinks and jumps may be undecided because of them."""
    for case in PART7_RIGHT:
        assert case.expected in ("agree", "kink", "jump", "inexact")
        if case.expected in ("kink", "jump"):
            assert {"kink", "jump"} <= set(case.reasons), case.name


def test_numbers():
    """There are at least 200 right and 600 wrong cases."""
    assert len(PART7_RIGHT) >= 200
    assert len(PART7_WRONG) >= 600


def test_names():
    """No two cases have one name."""
    names = [case.name for case in [*RIGHT, *WRONG, *PART7_RIGHT, *PART7_WRONG]]
    assert len(set(names)) == len(names)


class TestTheTruths:
    """The ways to a truth, where it is known."""

    x = np.array([0.3, -1.2, 1e-20])

    def test_digits(self):
        """Differences in many digits are right to the last digit of float64, of tiny parameters too."""
        found = by_digits(lambda x: np.sum(np.sin(x) + np.exp(2 * x)), self.x)
        np.testing.assert_allclose(found, np.cos(self.x) + 2 * np.exp(2 * self.x), rtol=4e-16)

    def test_complex_step(self):
        """So is the complex step."""
        found = by_complex_step(lambda x: np.sum(np.sin(x) + np.exp(2 * x)), self.x)
        np.testing.assert_allclose(found, np.cos(self.x) + 2 * np.exp(2 * self.x), rtol=4e-16)

    def test_float32_parameters(self):
        """The values of float32 parameters are taken as they are."""
        x = self.x.astype(np.float32)
        np.testing.assert_allclose(by_digits(lambda x: x @ x, x), 2 * x.astype(float), rtol=4e-16)

    def test_sides(self):
        """A claim on a kink is clipped to the slopes of both sides."""
        for claim, clipped in ((0.3, 0.3), (2.0, 1.0), (-7.0, -1.0)):
            found = by_sides(lambda x: abs(x[0]), lambda x, c=claim: np.array([c]), np.zeros(1))
            assert found[0] == pytest.approx(clipped, abs=1e-11)


class TestWhatIsSeen:
    """Wrong.sizes and Wrong.seen."""

    case = Case("squares", lambda x: x @ x, lambda x: 2 * x, np.array([1.0, 1e-6]), sees=1e-2)

    def test_own_scale(self):
        """An error counts as a share of its entry, whatever the others are."""
        wrong = Wrong(self.case, "small one off", np.array([2.0, 2.2e-6]))
        np.testing.assert_allclose(wrong.sizes(), [0, 1 / 11])
        assert wrong.seen().tolist() == [False, True]

    def test_floor(self):
        """A floor hides what is small beside the rms."""
        case = Case("squares", self.case.cost, self.case.gradient, self.case.params, floor=1e-3)
        assert not Wrong(case, "small one off", np.array([2.0, 2.2e-6])).seen().any()

    def test_not_a_number(self):
        """A NaN is seen."""
        assert Wrong(self.case, "a NaN", np.array([2.0, np.nan])).seen().tolist() == [False, True]
