"""No verdict depends on how the same numbers are written down: in blocks, in other units, beside an offset.

Each law is stated of right gradients and of wrong twins, end to end, on costs of several kinds. A verdict is
compared coordinate by coordinate: which are wrong, and which are undecided.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import fastgrad

A = np.random.default_rng(5).normal(size=(12, 8))
B = np.random.default_rng(6).normal(size=(20, 8))


def waves(y):
    """Each coordinate by itself."""
    return float(np.sum(np.sin(y)))


def quadratic(y):
    """A quadratic form, which couples all of them."""
    return 0.5 * float(np.sum((A @ y) ** 2))


def softmax(y):
    """The logarithm of a sum of exponentials."""
    z = B @ y
    return float(z.max() + np.log(np.sum(np.exp(z - z.max()))))


def relu(y):
    """A network of one layer, with kinks."""
    return float(np.sum(np.maximum(B @ y + 0.1, 0) * np.linspace(-1, 1, 20)))


def likelihood(y):
    """A sum of logarithms, as of a logistic regression."""
    return float(np.sum(np.logaddexp(0, -B @ y)))


COSTS = {
    waves: np.cos,
    quadratic: lambda y: A.T @ (A @ y),
    softmax: lambda y: B.T @ (np.exp(B @ y) / np.sum(np.exp(B @ y))),
    relu: lambda y: B.T @ (np.linspace(-1, 1, 20) * (B @ y + 0.1 > 0)),
    likelihood: lambda y: -B.T @ (1 / (1 + np.exp(B @ y))),
}
"""Each with its gradient."""

ERRORS = (1.0, 1.01, 0.0, -1.0)
"""Factors of one entry; the first is that of the right gradient."""


@dataclass(frozen=True, eq=False)
class Case:
    """A cost of eight numbers y, and a claim that is right but for a factor of one entry."""

    cost: object
    y: np.ndarray
    factor: float
    at: int

    def claimed(self, y):
        """The claimed gradient."""
        return COSTS[self.cost](y) * np.where(np.arange(8) == self.at, self.factor, 1.0)


@st.composite
def cases(draw, zeros=True):
    """Cases whose wrong entry, if any, is not zero; some numbers are zero."""
    tenths = st.integers(1, 20).flatmap(lambda k: st.sampled_from([k, -k]))
    y = np.array(draw(st.lists(st.one_of(tenths, st.just(0)) if zeros else tenths, min_size=8, max_size=8)))
    cost = draw(st.sampled_from(sorted(COSTS, key=lambda f: f.__name__)))
    factor = draw(st.sampled_from(ERRORS))
    at = draw(st.integers(0, 7))
    return Case(cost, y / 10.0, factor, at if abs(COSTS[cost](y / 10.0)[at]) > 1e-3 else -1)


def found(report):
    """Verdict, wrong and undecided coordinates."""
    wrong, undecided = ([f.flat_index for f in some] for some in (report.wrong, report.undecided))
    return report.verdict, sorted(wrong), sorted(undecided)


def checked(case, unit=1.0, of_cost=1.0, offset=0.0, order=None, given=False, **options):
    """What is found where parameters are `unit` times y, and the cost is of_cost times J, plus an offset."""
    order = np.arange(8) if order is None else order
    back, unit = np.argsort(order), np.broadcast_to(unit, 8)[order]

    def cost(x):
        return of_cost * case.cost((x / unit)[back]) + offset

    def gradient(x):
        return of_cost * case.claimed((x / unit)[back])[order] / unit

    x = case.y[order] * unit
    report = fastgrad.check_gradient(cost, gradient(x) if given else gradient, x, **options)
    verdict, *places = found(report)
    return verdict, *(sorted(int(order[k]) for k in some) for some in places)


def in_blocks(case, cuts, given=False):
    """What is found where the same numbers are in several blocks."""
    names = [f"block{k}" for k in range(len(cuts) + 1)]

    def parts(v):
        return dict(zip(names, np.split(v, cuts), strict=True))

    def whole(p):
        return np.concatenate([p[name] for name in names])

    claim = parts(case.claimed(case.y)) if given else lambda p: parts(case.claimed(whole(p)))
    return found(fastgrad.check_gradient(lambda p: case.cost(whole(p)), claim, parts(case.y)))


class TestTwins:
    @given(cases())
    def test_right_and_wrong(self, case):
        """A right gradient agrees; one wrong entry is found, and no other is accused."""
        verdict, wrong, undecided = checked(case)
        expected = [case.at] if case.factor != 1 and case.at >= 0 else []
        assert wrong == expected
        if case.cost is not relu:  # of which a kink may be at the parameters
            assert undecided == []
            assert verdict == ("disagree" if expected else "agree")


class TestBlocks:
    cuts = st.lists(st.integers(1, 7), min_size=1, max_size=5, unique=True).map(sorted)

    @given(cases(), cuts)
    def test_of_a_gradient_function(self, case, cuts):
        """How numbers are split into blocks does not change the verdict on any."""
        assert in_blocks(case, cuts) == checked(case)

    @given(cases(), cuts)
    def test_of_values(self, case, cuts):
        """Nor does it where the claim is given as values."""
        assert in_blocks(case, cuts, given=True) == checked(case, given=True)

    def test_a_zero_beside_large_numbers(self):
        """A zero is moved by its own effect, whether large numbers are in its block or not."""
        cost = lambda p: float(np.sin(p[0]) + 1e-6 * p[1])  # noqa: E731
        for claim, verdict in (([1.0, 1e-6], "agree"), ([0.0, 1e-6], "disagree"), ([1.01, 1e-6], "disagree")):
            g, x = np.array(claim), np.array([0.0, 1e6])
            one = fastgrad.check_gradient(cost, lambda x, g=g: g, x)
            two = fastgrad.check_gradient(
                lambda p: cost([p["a"][0], p["b"][0]]),
                lambda p, g=g: {"a": g[:1], "b": g[1:]},
                {"a": x[:1], "b": x[1:]},
            )
            assert (one.verdict, two.verdict) == (verdict, verdict)


class TestUnits:
    decades = st.lists(st.integers(-8, 8), min_size=8, max_size=8).map(lambda k: 10.0 ** np.array(k))

    @given(cases(zeros=False), decades)
    def test_of_each_parameter(self, case, unit):
        """Each parameter in a unit of its own, by powers of ten: the verdict on none of them changes."""
        assert checked(case, unit) == checked(case)

    @given(cases(), decades)
    def test_of_zeros(self, case, unit):
        """Nor if some are zero: what is claimed of them tells their unit, unless that is zero too."""
        assume(case.factor != 0 or case.y[case.at] != 0)
        assert checked(case, unit) == checked(case)

    @pytest.mark.parametrize("decade", [-8, -6, -4, -2, 0, 2, 4])
    def test_of_a_zero_that_is_claimed_not_to_move(self, decade):
        """A zero that is wrongly claimed not to move the cost is not right in units of many decades.

        Nothing tells its unit, so that it is moved like its neighbours. In a unit 1e8 times as large that
        moves the cost by less than its noise, and the report says how small a slope was seen there.
        """
        y = np.array([0.1, 0.0, 0.1, 0.1, 0.1, 0.1, 0.0, 0.0])
        unit = 10.0 ** np.array([-3, decade, 0, 0, 0, 0, 0, 0])
        assert checked(Case(likelihood, y, 0.0, 1), unit)[0] != "agree"

    @pytest.mark.parametrize("decade", [-8, -5, 0, 4])
    def test_of_a_zero_beside_kinks(self, decade):
        """The unit of one zero does not make an error of another entry the claim's own noise."""
        y = np.array([0.1, 0.1, 0.1, 0.1, 0.0, 0.0, 0.0, 0.0])
        unit = 10.0 ** np.array([0, 0, 0, 0, 0, 0, 0, decade])
        assert checked(Case(relu, y, 1.01, 0), unit) == ("disagree", [0], [])

    @given(cases(), st.integers(-12, 12))
    def test_of_all_parameters(self, case, decade):
        """All parameters in another unit, not all of them zero: the verdict on none of them changes."""
        assume(case.y.any())
        assert checked(case, 10.0**decade) == checked(case)

    @given(cases(), st.integers(-12, 12))
    def test_of_the_cost(self, case, decade):
        """The cost in another unit: no verdict changes."""
        assert checked(case, of_cost=10.0**decade) == checked(case)

    @given(cases(zeros=False), decades)
    def test_of_values(self, case, unit):
        """Nor where the claim is given as values."""
        assert checked(case, unit, given=True) == checked(case, given=True)


class TestOffset:
    @given(cases(zeros=False), st.sampled_from([-1e4, -1.0, 1.0, 1e2, 1e4, 1e6]))
    def test_of_the_cost(self, case, offset):
        """A constant in the cost hides no error that its rounding does not, and makes none."""
        _, wrong, _ = checked(case)
        _, beside, undecided = checked(case, offset=offset)
        assert set(beside) <= set(wrong)
        assert set(wrong) - set(beside) <= set(undecided)
        if abs(offset) <= 1e2:
            assert beside == wrong

    @pytest.mark.parametrize("offset", [1e10, 1e13, 1e16])
    def test_that_drowns_it(self, offset):
        """Beside an offset that drowns the cost no right gradient is accused, and no wrong one agrees."""
        y = np.linspace(0.3, 1.7, 8)
        for factor in ERRORS:
            verdict, wrong, _ = checked(Case(waves, y, factor, 3), offset=offset)
            assert set(wrong) <= ({3} if factor != 1 else set())
            if factor != 1:
                assert verdict != "agree"


class TestOrder:
    @given(cases(), st.permutations(range(8)))
    def test_of_the_coordinates(self, case, order):
        """The order in which coordinates stand does not change the verdict on any."""
        assert checked(case, order=np.array(order)) == checked(case)

    @given(cases(), st.integers(0, 10**6))
    @settings(max_examples=20)
    def test_of_random_choices(self, case, seed):
        """Nor does the seed of what is drawn."""
        assert checked(case, seed=seed) == checked(case)
