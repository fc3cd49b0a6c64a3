"""The complex step decides what differences cannot, and only where it has been found to speak the truth."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest

import fastgrad

X = np.array([0.3, -0.7, 1.1, 0.4])
OFFSET = 1e10


def check(cost, gradient=np.cos, x=X, **options):
    """A check of a cost that rounding hides behind an offset."""
    return fastgrad.check_gradient(cost, gradient, x, **options)


def said_by_it(report):
    """What the report says of the complex step."""
    return [said for said in report.witnesses if said.startswith("the complex step")]


def plain(x):
    """A sum of sines and a large offset."""
    return OFFSET + np.sum(np.sin(x))


class TestBelieved:
    def test_right_gradient(self):
        """What noise hides is seen, with bounds near machine precision."""
        report = check(plain)
        assert report.verdict == "agree"
        assert report.error_bound.max() < 1e-12
        assert np.array_equal(report.numeric, np.cos(X)) or np.allclose(report.numeric, np.cos(X), rtol=1e-14)
        [said] = said_by_it(report)
        assert said.startswith(
            "the complex step decided 4 coordinates that differences saw to less than 1e-06 of themselves"
        )

    def test_wrong_gradient(self):
        """An error of 1e-5, far below the noise of differences, is called wrong, and only where it is."""
        report = check(plain, lambda x: np.cos(x) * (1 + np.array([0, 0, 1e-5, 0])))
        assert report.verdict == "disagree"
        assert [f.label for f in report.wrong] == ["params[2]"]
        assert not report.undecided

    def test_relu_branches_are_those_taken(self):
        """Comparisons of complex numbers go by the real part, as np.maximum's do: no kink is in the way."""
        report = check(lambda x: OFFSET + np.sum(np.maximum(x, 0) ** 2), lambda x: 2 * np.maximum(x, 0))
        assert report.verdict == "agree"

    def test_a_batch(self):
        """A vectorized cost is asked in batches."""
        report = check(lambda batch: OFFSET + np.sin(batch).sum(axis=1), vectorized=True)
        assert report.verdict == "agree"

    def test_not_asked_where_nothing_is_open(self):
        """Where differences see all coordinates to 1e-6 of themselves nobody is asked."""
        report = check(lambda x: np.sum(np.sin(x)))
        assert report.resolution < 1e-6
        assert said_by_it(report) == []


class TestDoubted:
    @pytest.mark.parametrize(
        ("cost", "doubt"),
        [
            (lambda x: float(OFFSET + np.sum(np.sin(x).real)), "it uses .real,"),
            (
                lambda x: OFFSET + np.sum(np.sin(np.abs(x) * np.sign(x.real))),
                "it uses np.absolute, through which no complex step can be followed",
            ),
            (lambda x: OFFSET + np.sum(np.sin(x.astype(float))), "it uses .astype,"),
            (lambda x: OFFSET + sum(math.sin(v) for v in x), r"it uses float\(\),"),
        ],
        ids=["real part", "abs", "cast", "math"],
    )
    def test_a_cost_that_breaks_it(self, cost, doubt):
        """A cost that loses the imaginary part on the way is not believed, and the report says why.

        That is said where something is undecided; else the verdict is by what differences see.
        """
        by_differences = check(cost)
        assert by_differences.verdict == "agree"
        assert by_differences.resolution > 1e-6
        assert said_by_it(by_differences) == []
        report = check(cost, resolution=1e-6)
        assert report.verdict == "undecided"
        [said] = said_by_it(report)
        assert said.startswith("the complex step was not asked for the undecided coordinates: ")
        assert re.search(doubt, said)

    def test_abs_in_one_term_only(self):
        """An imaginary part lost in one term alone shows along a random direction."""
        x = np.arange(1.0, 9.0)

        def cost(x):
            return 1e5 + np.sum(x[1:] ** 2) + np.abs(x[0]) ** 2

        report = check(cost, lambda x: 2 * x * (1 + 1e-9), x)
        assert all(np.abs(report.numeric - 2 * x) <= report.error_bound)
        assert report.verdict in ("agree", "undecided")
