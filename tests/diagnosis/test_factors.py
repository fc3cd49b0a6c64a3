"""Factors, and the names they have."""

from __future__ import annotations

import math

import numpy as np
import pytest
from diagnosis_cases import LENGTHS, VECTOR, block, kinds, put
from hypothesis import given
from hypothesis import strategies as st

from fastgrad.diagnosis.diagnose import diagnose


class TestFactorNotNamed:
    def test_factor_but_for_one(self):
        """Factor 2 in all entries but one is not called a factor of the block."""
        g = put(2 * VECTOR, 5, VECTOR[5])
        h = put(2 * VECTOR, 5, 3 * VECTOR[5])

        assert kinds(block("v", g, VECTOR)) == ["part"]
        assert kinds(block("v", h, VECTOR)) == ["unexplained"]

    @pytest.mark.parametrize("k", [2.001, 1.9999, 8.01, -1.0001])
    def test_near_a_name(self, k):
        """A factor that is off its name by more than the bounds is given as it is."""
        found = diagnose([block("v", k * VECTOR, VECTOR)], LENGTHS)[0].sentence

        assert f"claimed = {k:g} * numeric in every entry: a constant factor" in found

    def test_factor_hardly_known(self):
        """With bounds of a percent and more no factor gets a name."""
        found = diagnose([block("v", 2.02 * VECTOR, VECTOR, e=0.02 * np.abs(VECTOR))])[0]

        assert found.kind == "factor"
        assert ": a constant factor" in found.sentence

    def test_factor_in_one_entry(self):
        """In one entry a factor needs a name: any two numbers have some factor."""
        assert kinds(block("s", 6.0, 3.0)) == ["factor"]
        assert kinds(block("s", 6.3, 3.0)) == ["unexplained"]

    def test_factor_in_two_entries(self):
        """In two entries one factor without a name is no coincidence, unless they are hardly known."""
        d = np.array([1.7, -0.4])

        assert kinds(block("v", 1.3704 * d, d)) == ["factor"]
        assert kinds(block("v", 1.3704 * d, d, e=0.01 * np.abs(d))) == ["unexplained"]


class TestFactorLaw:
    @given(st.floats(0.01, 100), st.integers(0, 10**6))
    def test_random_factor(self, k, seed):
        """A random factor is given as it is, and a name only if it is that of a value next to it."""
        if abs(k - 1) < 1e-5:
            return
        rng = np.random.default_rng(seed)
        true = rng.normal(size=12)
        e = 1e-9 * np.abs(true)
        (found,) = diagnose([block("v", k * true, true + e * rng.uniform(-1, 1, size=12), e)], (8, 3))

        names = [2, 8, 3, 1.5, 4, 12, 24, math.log(2), math.log(10), math.pi / 180]
        nearest = min(abs(k / n - 1) for n in [*names, *(1 / n for n in names)])
        named = "a constant factor" not in found.sentence
        assert found.kind == "factor"
        assert nearest > 3e-7 if not named else nearest < 1e-6
        assert abs(float(found.sentence.split()[3]) / k - 1) < 1e-4
