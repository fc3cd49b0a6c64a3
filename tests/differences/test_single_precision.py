"""What rounding leaves in a value, and how float32 arithmetic shows."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from noise_cases import DOUBLE, SINGLE, TYPICAL, measured

from fastgrad.differences.rounding import ROUNDING_SD, looks_single_precision, rounding_floor


class TestFloor:
    @given(st.floats(2.0**-1000, 1e300))
    def test_double(self, value):
        """The floor is 0.289 ulp of the value."""
        assert rounding_floor(value, DOUBLE) == ROUNDING_SD * np.spacing(value)

    def test_single(self):
        """The ulp is that of the cost's own dtype."""
        assert rounding_floor(3.0, SINGLE) == ROUNDING_SD * float(np.spacing(np.float32(3.0)))

    @pytest.mark.parametrize("value", [0.0, 5e-324, 1e-310, math.nan, math.inf])
    def test_positive(self, value):
        """The floor is a positive finite number for any value."""
        assert 0 < rounding_floor(value, DOUBLE) < 1e-300


class TestSinglePrecision:
    def test_recognised(self):
        """A cost that does its arithmetic in float32 is recognised at float64 parameters."""
        cost, _, theta, _ = TYPICAL["float32 inside"]
        assert measured(cost, theta).single_precision

    @pytest.mark.parametrize(
        "name", ["tanh net", "tanh net in float32", "exp", "rounded", "quadratic", "offset 1e10"]
    )
    def test_not_recognised(self, name):
        """A float64 cost is not taken for a float32 one, nor is a float32 one said to hide it."""
        cost, _, theta, epsilon = TYPICAL[name]
        assert not measured(cost, theta, epsilon).single_precision

    @pytest.mark.parametrize(
        "values", [[], [0.0], [1.0, 2.0, 3.0], [0.5, 0.25, 0.75], [0.1, 0.2, 0.3], [math.nan] * 4]
    )
    def test_too_little_to_say(self, values):
        """Counts, halves, zeros and nothing at all are float32 numbers by chance."""
        assert not looks_single_precision(np.array(values))

    def test_grid(self):
        """Three float32 numbers of full length are enough, two are not, and one other number forbids it."""
        values = np.array([0.1, 0.2, 0.3], dtype=np.float32).astype(np.float64)
        assert looks_single_precision(values)
        assert not looks_single_precision(values[:2])
        assert not looks_single_precision(np.append(values, 0.7))

    @pytest.mark.parametrize(
        ("sigma", "single"), [(1e-16, False), (1e-10, False), (1e-8, True), (1e-6, True), (1e-4, False)]
    )
    def test_noise(self, sigma, single):
        """Noise of the size of float32's rounding tells, far less or far more does not."""
        assert looks_single_precision(np.array([1.1]), sigma) == single
