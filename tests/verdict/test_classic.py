"""The classic relative error, as a number and as an interval."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fastgrad
from fastgrad.errors import InputError
from fastgrad.verdict.classic import NOTHING_KNOWN, ClassicMeasure, classic_verdict, relative_error

vectors = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=5).map(np.array)


class TestRelativeError:
    NAN, INF = float("nan"), float("inf")

    # a, b, ||a - b|| / ||a + b||
    TABLE = (
        ([1.0, 2.0], [1.0, 2.0], 0.0),
        ([0.0, 0.0], [0.0, 0.0], 0.0),
        ([], [], 0.0),
        ([3.0, 4.0], [0.0, 0.0], 1.0),
        ([0.0], [5.0], 1.0),
        ([1.0, -2.0], [-1.0, 2.0], INF),  # opposite
        ([3.0], [1.0], 0.5),
        ([3e300, 0.0], [1e300, 0.0], 0.5),  # squares overflow
        ([3e-300, 0.0], [1e-300, 0.0], 0.5),  # squares vanish
        ([5e-324], [5e-324], 0.0),
        ([1.7e308], [1.7e308], 0.0),  # even the sum overflows
        ([NAN, 1.0], [1.0, 1.0], NAN),
        ([1.0, 1.0], [1.0, NAN], NAN),
        ([0.0, 0.0], [NAN, 0.0], NAN),
        ([NAN, 0.0], [0.0, 0.0], NAN),
        ([INF], [1.0], NAN),
        ([1.0], [-INF], NAN),
        ([INF], [INF], NAN),
    )

    @pytest.mark.parametrize(("a", "b", "expected"), TABLE)
    def test_table(self, a, b, expected):
        """The classic measure, at its edges too; NaN where a number is not finite."""
        got = relative_error(np.array(a, dtype=float), np.array(b, dtype=float))
        assert got == pytest.approx(expected, rel=1e-15, nan_ok=True)

    @given(vectors, st.data(), st.integers(-900, 900))
    def test_laws(self, a, data, exponent):
        """It is symmetric, never negative, 0 only for equals, and the same in any unit."""
        b = np.array(
            data.draw(st.lists(st.integers(-999, 999), min_size=a.size, max_size=a.size)), dtype=float
        )
        a = np.round(a, 2)
        error = relative_error(a, b)
        assert error >= 0
        assert error == relative_error(b, a)
        assert (error == 0) == (a == b).all()
        assert relative_error(a * 2.0**exponent, b * 2.0**exponent) == error

    def test_is_the_formula(self, rng):
        """For ordinary vectors it is the quotient of the two norms."""
        a, b = rng.array(30), rng.array(30)
        expected = np.linalg.norm(a - b) / np.linalg.norm(a + b)
        assert fastgrad.relative_error(a, b) == pytest.approx(expected, rel=1e-14)

    def test_of_structures(self):
        """Dicts, lists and nestings are compared number by number, whatever holds them."""
        a, b = {"W": [[3.0]], "b": np.zeros(2)}, {"W": [[1.0]], "b": np.zeros(2)}
        assert fastgrad.relative_error(a, b) == pytest.approx(0.5, rel=1e-15)
        assert fastgrad.relative_error([1, 2], np.array([1.0, 2.0])) == 0.0

    @pytest.mark.parametrize("nothing", [[], {}, None, np.empty(0), {"W": np.empty((0, 3))}])
    def test_of_nothing(self, nothing):
        """Two structures without a number in them are equal."""
        assert fastgrad.relative_error(nothing, nothing) == 0.0

    def test_dicts_go_by_key(self):
        """Two dicts with the same entries are equal, in whatever order they were written."""
        assert fastgrad.relative_error({"W": 1.0, "b": 2.0}, {"b": 2.0, "W": 1.0}) == 0.0

    def test_other_sizes(self):
        """Two structures with different numbers of numbers are refused, with both numbers."""
        message = "relative_error compares as many numbers with as many; got 2 and 3"
        with pytest.raises(InputError, match=rf"^{message} \[FG114\]$"):
            fastgrad.relative_error(np.ones(2), [1.0, 1.0, 1.0])


class TestRelativeErrorInterval:
    @given(st.integers(0, 10**6), st.floats(1e-12, 1e-2))
    def test_holds_the_true_one(self, seed, size):
        """Wherever the truth lies within the bounds, its relative error lies within the interval."""
        rng = np.random.default_rng(seed)
        g, d, e = rng.normal(size=9), rng.normal(size=9), size * rng.random(9)
        low, high = ClassicMeasure.of(g, d, e).interval
        truth = d + e * rng.uniform(-1, 1, 9)
        assert low <= relative_error(g, truth) <= high
        assert low <= relative_error(g, d) <= high

    def test_what_the_classic_criterion_says(self):
        """Certified when all of the interval is below 1e-8, above it when none is, else not resolved."""
        g = np.ones(4)
        assert classic_verdict(ClassicMeasure.of(g, g, 1e-9 * g).interval) == "certified below 1e-08"
        assert classic_verdict(ClassicMeasure.of(g, 1.1 * g, 1e-9 * g).interval) == "above 1e-08"
        assert classic_verdict(ClassicMeasure.of(g, g, 1e-6 * g).interval) == "1e-08 cannot be resolved here"

    def test_unknown_and_zero(self):
        """Two zeros known exactly have none; what is not known says nothing."""
        zero = np.zeros(2)
        assert ClassicMeasure.of(zero, zero, zero).interval == (0.0, 0.0)
        assert ClassicMeasure.of(zero, zero, zero + 1).interval[1] == np.inf
        assert NOTHING_KNOWN.interval == (0.0, np.inf)
