"""How far a check could see, and why not further."""

from __future__ import annotations

import numpy as np
import pytest

import fastgrad


def quadratic(x):
    """Half the squared length: its gradient is x."""
    return float(0.5 * np.sum(x**2))


X = np.array([1.0, -2.0, 0.5, 3.0])


def noisy(x):
    """The same with the rounding of a large number that cancels."""
    return quadratic(x) + 1e8 - 1e8


class TestSeen:
    def test_the_worst_of_all(self):
        """The resolution is that of the coordinate that was seen least: error and bound over its own size."""
        report = fastgrad.check_gradient(quadratic, lambda x: x * (1 + 1e-8), X)
        own = (np.abs(report.claimed - report.numeric) + report.error_bound) / np.maximum(
            np.abs(report.claimed), np.abs(report.numeric)
        )
        assert report.verdict == "agree"
        assert report.resolution == report.seen.seen == pytest.approx(own.max())
        assert 1e-8 <= report.resolution < 1e-7

    def test_wrong_ones_aside(self):
        """What is wrong has no part in it; where all are wrong it is NaN."""
        one = fastgrad.check_gradient(quadratic, lambda x: x + np.eye(4)[1], X)
        assert one.verdict == "disagree"
        assert one.resolution < 1e-8
        every = fastgrad.check_gradient(quadratic, lambda x: x + 1, X)
        assert np.isnan(every.resolution)

    def test_zeros_aside(self):
        """Coordinates that do not move the cost, and are claimed zero, are counted and have no part in it."""
        report = fastgrad.check_gradient(lambda x: quadratic(x[:2]), lambda x: x * [1, 1, 0, 0], X)
        assert report.verdict == "agree"
        assert (report.seen.zero, report.seen.small) == (2, 0)
        assert report.resolution < 1e-8

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


class TestReason:
    def test_none_where_nothing_limits(self):
        """Where it is better than what counts as an error no reason is given."""
        report = fastgrad.check_gradient(quadratic, lambda x: x, X)
        assert report.seen.reason == ""
        first = str(report).splitlines()[0]
        assert first == f"AGREE to {report.resolution:.0e}: the gradient is right at all 4 coordinates."

    def test_noise(self):
        """Noise is named, with its size, in the headline too."""
        report = fastgrad.check_gradient(noisy, lambda x: x, X)
        assert report.verdict == "agree"
        assert report.resolution > 1e-6
        assert report.seen.reason == f"the cost has a noise of {max(report.noise.values()):.1g}"
        assert str(report).splitlines()[0].endswith(f"; {report.seen.reason}.")

    def test_float32(self):
        """That a cost computes in float32 is named, with its noise."""
        report = fastgrad.check_gradient(lambda x: float(np.sum(np.exp(x.astype(np.float32)))), np.exp, X)
        assert report.verdict == "agree"
        assert (
            report.seen.reason == f"the cost is computed in float32 (noise {max(report.noise.values()):.1g})"
        )

    def test_the_claim_itself(self):
        """Where the claim is off by more than the bound, as its own rounding is, that is the reason."""

        def rounded(x):
            return ((np.exp(x.astype(np.float32)) + np.float32(30)) - np.float32(30)).astype(float)

        report = fastgrad.check_gradient(lambda x: float(np.sum(np.exp(x))), rounded, X)
        assert report.verdict == "agree"
        assert report.seen.reason.startswith("the claim is off by ")


class TestOption:
    def test_wanted(self):
        """What was wanted is kept; a right gradient that is seen less well is undecided, and says so."""
        report = fastgrad.check_gradient(noisy, lambda x: x, X, resolution=1e-7)
        assert report.seen.wanted == 1e-7
        assert report.verdict == "undecided"
        assert {f.code for f in report.undecided} == {"noise"}
        assert "1e-07 of itself was asked for" in report.undecided[0].cause


class TestOnlyRounding:
    def test_a_block_of_rounding(self):
        """A block whose gradient is rounding beside the others' is named, and agrees."""
        params = {"w": X, "b": np.array([0.3])}
        claim = {"w": X, "b": np.array([1e-17])}
        report = fastgrad.check_gradient(lambda p: quadratic(p["w"]) + 0 * p["b"][0], claim, params)
        assert report.verdict == "agree"
        [note] = [note for note in report.notes if "only rounding" in note]
        assert note.startswith("the gradient of b is only rounding beside the others'")
