"""Fits give all numbers that explain every entry, or none."""

from __future__ import annotations

import numpy as np
import pytest
from diagnosis_cases import MATRIX, block, put

from fastgrad.diagnosis.diagnose import diagnose
from fastgrad.diagnosis.fits import grouped_slopes, slope, two_slopes


class TestKnownInPart:
    def test_one_noisy_entry(self):
        """An entry with a wide bound does not spoil the factor or the term that the others show."""
        rng = np.random.default_rng(6)
        x = rng.normal(size=(6, 5))
        d = put(MATRIX, (1, 1), lambda v: v + 0.3)
        e = put(1e-9 * np.abs(MATRIX), (1, 1), 0.5)

        assert "claimed = 2 * numeric" in diagnose([block("W", 2 * MATRIX, d, e)])[0].sentence
        assert "lambda = 0.1 is missing" in diagnose([block("W", MATRIX - 0.1 * x, d, e, x)])[0].sentence
        both = diagnose([block("W", 8 * MATRIX + 0.1 * x, d + 0.1 * x, e, x)], (8,))[0].sentence
        assert both.startswith("W: claimed = 8 * numeric")
        assert "0.0875 if the claim lacks it, 0.1 if its own is right" in both


class TestSlope:
    def test_holds_the_truth(self):
        """The interval holds the true number where each target is off by no more than its tolerance."""
        rng = np.random.default_rng(1)
        r, t = rng.normal(size=50), rng.uniform(0.01, 0.1, size=50)
        found = slope(r, 3.0 * r + t * rng.uniform(-1, 1, size=50), t)

        assert found.low <= 3.0 <= found.high

    def test_none(self):
        """No number fits where a regressor is 0 and the target is not, or where there is no regressor."""
        one, zero = np.ones(2), np.zeros(2)

        assert slope(np.array([1.0, 0.0]), one, 0.1 * one) is None
        assert slope(zero, zero, one) is None


class TestTwoSlopes:
    def test_exact(self):
        """Two numbers are read off where both regressors show, and not where they are parallel."""
        rng = np.random.default_rng(2)
        r1, r2 = rng.normal(size=(2, 20))
        t = np.full(20, 1e-9)

        c1, c2 = two_slopes(r1, r2, 2 * r1 - 5 * r2, t)

        assert (c1.value, c2.value) == pytest.approx((2.0, -5.0), rel=1e-8)
        assert two_slopes(r1, 3 * r1, 5 * r1, t) is None


class TestGroupedSlopes:
    def test_each_group_has_its_own(self):
        """Each group has the number of its own entries, however large the others are."""
        r, groups = np.array([1.0, 2.0, 1e9, 2e9]), np.array([0, 0, 1, 1])
        c = grouped_slopes((r,), np.array([4.0, 8.0, 3e9, 6e9]), np.ones(4), groups)

        assert c[0] == pytest.approx([4.0, 3.0])
