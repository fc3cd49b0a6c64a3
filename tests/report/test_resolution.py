"""How far a check could see: the share of itself to which each derivative is right, and why not further."""

from __future__ import annotations

import numpy as np
import pytest

import fastgrad
from fastgrad.problem.parameters import Parameters
from fastgrad.report.findings import Arrays
from fastgrad.report.resolution import only_rounding

X = np.linspace(0.3, 2.7, 12)


def waves(x):
    """A smooth cost."""
    return float(np.sum(np.sin(x)))


def seen(cost=waves, gradient=np.cos, x=X, **options):
    """The resolution of a check."""
    return fastgrad.check_gradient(cost, gradient, x, **options).seen


class TestSeen:
    def test_of_an_ordinary_cost(self):
        """A float64 cost is seen to far less than what counts as an error, and nothing is to be said."""
        found = seen()
        assert 0 < found.seen < 1e-6
        assert found.reason == ""
        assert (found.wanted, found.small, found.zero, found.together, found.subgradients) == (
            1e-2, 0, 0, 0.0, 0,
        )  # fmt: skip

    def test_is_that_of_the_worst(self):
        """It is the largest of all shares that are not wrong, undecided or too small: a promise for each."""
        report = fastgrad.check_gradient(waves, np.cos, X)
        shares = (np.abs(report.claimed - report.numeric) + report.error_bound) / np.maximum(
            np.abs(report.claimed), np.abs(report.numeric)
        )
        assert report.seen.seen == pytest.approx(shares.max())
        assert report.resolution == report.seen.seen

    def test_what_was_wanted(self):
        """The share that was asked for is told beside it."""
        assert seen(resolution=1e-4).wanted == 1e-4

    def test_nothing_seen(self):
        """Where no coordinate was seen by itself it is NaN, and nothing is said of it."""
        found = seen(lambda x: waves(x) + 1e16)
        assert np.isnan(found.seen)
        assert found.reason == ""

    def test_wrong_coordinates_do_not_count(self):
        """A coordinate that is wrong does not make the resolution of the others worse."""
        assert seen(gradient=lambda x: np.cos(x) * np.where(np.arange(12) == 4, 2, 1)).seen < 1e-6


class TestReason:
    def test_float32(self):
        """A cost computed in float32 is said to be what limits the resolution."""
        found = seen(lambda x: float(np.sum(np.sin(x.astype(np.float32)))))
        assert found.seen > 1e-6
        assert found.reason.startswith("the cost is computed in float32 (noise ")

    def test_noise(self):
        """A cost of far more noise than rounding is said to have it, with the number."""
        found = seen(lambda x: float(np.round(waves(x), 8)))
        assert found.reason.startswith("the cost has a noise of ")
        assert 1e-10 < float(found.reason.split()[-1]) < 1e-7

    def test_the_claim(self):
        """A claim that is off by more than the bound is said to be, where its own rounding explains it."""
        found = seen(lambda x: float(np.sum(x**2)) / 2, lambda x: x.astype(np.float16), X)
        assert 1e-5 < found.seen < 1e-3
        assert found.reason.startswith("the claim is off by 0.0")
        assert found.reason.endswith("there, which its own rounding or less than 1e-06 explains")

    def test_the_shape(self):
        """A cost that bends too much at the steps that noise allows is said to."""
        found = seen(lambda x: float(np.sum(np.sin(1e5 * x))) / 1e5 + 10.0, lambda x: np.cos(1e5 * x), X[:3])
        assert found.seen > 1e-6
        assert found.reason.startswith("the cost bends, or has kinks, at the steps that its noise of ")


class TestSmall:
    def test_zeros_are_counted_apart(self):
        """Claimed zeros that are zero as far as can be seen are counted as such, others as small."""
        weights = np.where(np.arange(40) < 30, 1.0, np.where(np.arange(40) < 35, 0.0, 1e-15))
        cost = lambda x: float(weights @ np.sin(x))  # noqa: E731
        x = np.linspace(0.3, 1.2, 40)
        found = seen(cost, lambda x: weights * np.cos(x), x)
        assert (found.zero, found.small) == (5, 5)

    def test_together(self):
        """Those of sizes of their own are right together, to a share of the whole gradient."""
        size = 10.0 ** -np.arange(40)
        weights = np.where(np.arange(40) < 30, 1.0, 1e-15)
        cost = lambda x: float(weights @ np.sin(x / size))  # noqa: E731
        found = seen(cost, lambda x: weights * np.cos(x / size) / size, 0.5 * size)
        assert found.small == 10
        assert 0 < found.together < 1e-2

    def test_subgradients(self):
        """Coordinates at kinks are counted where subgradients pass."""
        cost, x = lambda x: float(np.abs(x).sum()), np.array([0.0, 1.0, 0.0])
        found = seen(cost, np.array([0.5, 1.0, 0.0]), x, kinks="subgradient")
        assert found.subgradients == 2
        assert found.seen < 1e-6


class TestOnlyRounding:
    def named(self, **blocks):
        """Which blocks of a claim are only rounding; parameters are all 2."""
        parameters = Parameters({name: np.full(len(g), 2.0) for name, g in blocks.items()})
        g = np.concatenate([np.asarray(v, dtype=float) for v in blocks.values()])
        none = np.zeros(len(g))
        arrays = Arrays(np.arange(len(g)), g, g, none, none, none, lambda k: ("", ""))
        return only_rounding(parameters, arrays)

    def test_names(self):
        """A block whose largest effect is 2^-44 of the largest is named, and one that is zero is not."""
        assert self.named(W=[1.0, -2.0], b=[1e-16, -2e-15], zero=[0.0], small=[1e-12]) == ("b",)

    def test_what_is_not_finite(self):
        """A claimed NaN or inf is no effect."""
        assert self.named(W=[1.0, np.inf], b=[np.nan, 1e-15]) == ("b",)

    def test_all_zero(self):
        """Where everything is zero no block is rounding beside another."""
        assert self.named(W=[0.0], b=[0.0]) == ()


def quadratic(x):
    """Half the squared length: its gradient is x."""
    return float(0.5 * np.sum(x**2))


def noisy(x):
    """The same with the rounding of a large number that cancels."""
    return quadratic(x) + 1e8 - 1e8


FOUR = np.array([1.0, -2.0, 0.5, 3.0])


class TestInTheReport:
    def test_none_where_nothing_limits(self):
        """Where it is better than what counts as an error no reason is given."""
        report = fastgrad.check_gradient(quadratic, lambda x: x, FOUR)
        assert report.seen.reason == ""
        first = str(report).splitlines()[0]
        assert first == f"AGREE to {report.resolution:.0e}: the gradient is right at all 4 coordinates."

    def test_small_ones_are_counted(self):
        """An entry that drowns in noise beside ordinary ones is counted, with what is known of all such."""
        g = np.ones(40)
        g[7] = 1e-9
        report = fastgrad.check_gradient(
            lambda x: float(np.float32(1.0) + np.sum(g * np.sin(x)).astype(np.float32)),
            lambda x: g * np.cos(x),
            np.full(40, 0.5),
        )
        assert report.verdict == "agree"
        assert report.seen.small == 1
        assert "1 of them is too small to be seen by itself" in str(report).splitlines()[0]

    def test_wanted(self):
        """What was wanted is kept; a right gradient that is seen less well is undecided, and says so."""
        report = fastgrad.check_gradient(noisy, lambda x: x, FOUR, resolution=1e-7)
        assert report.seen.wanted == 1e-7
        assert report.verdict == "undecided"
        assert {f.code for f in report.undecided} == {"noise"}
        assert "1e-07 of itself was asked for" in report.undecided[0].cause

    def test_a_block_of_rounding(self):
        """A block whose gradient is rounding beside the others' is named, and agrees."""
        params = {"w": FOUR, "b": np.array([0.3])}
        claim = {"w": FOUR, "b": np.array([1e-17])}
        report = fastgrad.check_gradient(lambda p: quadratic(p["w"]) + 0 * p["b"][0], claim, params)
        assert report.verdict == "agree"
        [note] = [note for note in report.notes if "only rounding" in note]
        assert note.startswith("the gradient of b is only rounding beside the others'")
