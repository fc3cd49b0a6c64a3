"""Estimates and their error bounds: the bound holds the true error, is of use, and unknown is NaN."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

import fastgrad
from fastgrad.differences.bounds import (
    ALPHA,
    BOUNDS_OF_A_COORDINATE,
    by_complex_step,
    by_four_points,
    by_six_points,
    quantile,
    screened,
)
from fastgrad.differences.stencils import CENTRAL, STENCILS

# cost, its exact gradient, why
SMOOTH = [
    (lambda x: np.sum(x**2), lambda x: 2 * x, "quadratic"),
    (lambda x: np.sum(x**7), lambda x: 7 * x**6, "steep"),
    (lambda x: np.sum(np.exp(x)), np.exp, "all derivatives alike"),
    (lambda x: 1e6 + np.sum(np.sin(x)), np.cos, "a large offset"),
    (lambda x: 1e-9 * np.sum(np.tanh(x)), lambda x: 1e-9 / np.cosh(x) ** 2, "a small scale"),
    (lambda x: np.sum(0 * x), lambda x: 0 * x.real, "constant"),
]


class TestErrorBound:
    @pytest.mark.parametrize("method", sorted(STENCILS))
    @pytest.mark.parametrize(("cost", "slope", "why"), SMOOTH, ids=[why for _, _, why in SMOOTH])
    def test_holds_the_true_error(self, cost, slope, why, method, rng):
        """For smooth costs the true error of each estimate is within its bound, by every method."""
        del why
        x = rng.array(20, largest=2.0)
        found = fastgrad.numerical_gradient(cost, x, method=method)
        assert (np.abs(found.values - slope(x)) <= found.error_bound).all()

    @pytest.mark.parametrize("step", [1e-1, 1e-2, 1e-3, 1e-4])
    @pytest.mark.parametrize("method", ["forward", "central", "central4", "central6"])
    def test_holds_the_error_of_a_large_step(self, method, step, rng):
        """Where a given step is so large that truncation is the error, the bound holds that too."""
        x = rng.array(20, largest=2.0)
        found = fastgrad.numerical_gradient(lambda x: np.sum(np.exp(x)), x, method=method, step=step)
        assert (np.abs(found.values - np.exp(x)) <= found.error_bound).all()

    @pytest.mark.parametrize("method", ["central", "central4", "complex"])
    def test_is_of_use(self, method, rng):
        """The bound is small enough to see an error of 1 part in 10 million in a cost of scale 1."""
        x = rng.array(20, largest=2.0)
        found = fastgrad.numerical_gradient(lambda x: np.sum(np.exp(x)), x, method=method)
        assert (found.error_bound < 1e-7 * np.exp(x).max()).all()

    @given(st.integers(-40, 40))
    def test_scales_with_the_cost(self, exponent):
        """A cost measured in another unit has estimates and bounds in that unit, to the bit."""
        unit = 2.0**exponent
        x = np.array([0.5, -1.25, 2.0])
        one = fastgrad.numerical_gradient(lambda x: float(np.sum(x**3)), x)
        other = fastgrad.numerical_gradient(lambda x: unit * float(np.sum(x**3)), x)
        assert other.values.tolist() == (unit * one.values).tolist()
        assert other.error_bound.tolist() == pytest.approx((unit * one.error_bound).tolist(), rel=1e-12)

    @pytest.mark.parametrize("method", sorted(STENCILS))
    @pytest.mark.parametrize("unit", [1e200, 1e-200])
    def test_huge_and_tiny_gradients_keep_their_bounds(self, method, unit):
        """A derivative whose square over- or underflows has a bound that is small against it."""
        found = fastgrad.numerical_gradient(
            lambda x: unit * x[0] + 2 * unit * x[1], np.ones(2), method=method
        )
        assert (found.error_bound < 1e-3 * unit).all()


class TestByFourPoints:
    h = 2.0**-10

    def values(self, f):
        """The values of f at -2h, -h, h, 2h around 0, and the displacements."""
        d = self.h * np.array([[-2.0, -1.0, 1.0, 2.0]])
        return f(d), d

    def test_error_is_known_to_be_truncation(self):
        """Without noise the bound is the truncation of the second-order difference, and holds the error."""
        f, d = self.values(np.sin)
        numeric, bound = by_four_points(f, d, np.array([self.h]), np.zeros(1), 5.0)
        assert abs(numeric[0] - 1.0) <= bound[0]
        assert bound[0] == pytest.approx(self.h**2 / 6, rel=1e-3)

    def test_noise_adds(self):
        """Noise of the values widens the bound by Z 0.95 sigma / h."""
        f, d = self.values(lambda d: d)
        _, bound = by_four_points(f, d, np.array([self.h]), np.array([1e-12]), 6.0)
        assert bound[0] == pytest.approx(6.0 * 0.95e-12 / self.h)

    @pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
    @pytest.mark.parametrize("at", range(4))
    def test_unknown(self, bad, at):
        """Any value that is not finite makes the estimate NaN and its bound inf."""
        f, d = self.values(np.cos)
        f[0, at] = bad
        numeric, bound = by_four_points(f, d, np.array([self.h]), np.zeros(1), 5.0)
        assert (np.isnan(numeric[0]), bound[0]) == (True, np.inf)


class TestSixPoints:
    h = 2.0**-6

    def values(self, f):
        """A cost at -4h ... 4h around 0, and the displacements."""
        d = self.h * np.array([[-4.0, -2.0, -1.0, 1.0, 2.0, 4.0]])
        return f(d), d

    @given(st.floats(-3, 3), st.sampled_from([np.sin, np.exp, np.arctan]))
    def test_error_is_within_the_bound(self, x, f):
        """For smooth costs the fourth-order difference is within its bound, and that is narrow."""
        values, d = self.values(lambda d: f(x + d) - f(np.full((), x)))
        numeric, bound = by_six_points(values, d, np.array([self.h]), np.array([1e-16]), 5.0)
        truth = {np.sin: np.cos(x), np.exp: np.exp(x), np.arctan: 1 / (1 + x**2)}[f]
        assert abs(numeric[0] - truth) <= bound[0]
        assert bound[0] < 1e-6 * max(1.0, abs(truth))

    def test_exact_for_a_quartic(self):
        """Polynomials of the fourth degree have no error, and noise alone makes the bound."""
        values, d = self.values(lambda d: d**4 - 2 * d**3 + d**2 + 3 * d)
        numeric, bound = by_six_points(values, d, np.array([self.h]), np.array([1e-12]), 6.0)
        assert numeric[0] == pytest.approx(3.0, abs=1e-13)
        assert bound[0] == pytest.approx(6.0 * 0.95e-12 / self.h, rel=1e-3)

    def test_a_kink_within_reach_widens_it(self):
        """A kink between two of the points makes the bound as wide as what it changes."""
        values, d = self.values(lambda d: d + np.maximum(d - 3 * self.h, 0))
        numeric, bound = by_six_points(values, d, np.array([self.h]), np.zeros(1), 6.0)
        assert abs(numeric[0] - 1.0) <= bound[0]
        assert bound[0] > 0.01


class TestScreened:
    def screened(self, values, truncation=0.0, sigma=0.0):
        """Central differences of a step of 1."""
        m = len(values)
        d = np.tile([-1.0, 1.0], (m, 1))
        one = np.ones(m)
        return screened(CENTRAL, np.array(values), d, 0.0, one, sigma * one, truncation * one, 6.0)

    def test_is_noise_and_truncation(self):
        """The bound is Z sigma / (sqrt(2) h) plus what the block's truncation was seen to be."""
        numeric, bound = self.screened([[-1.0, 3.0]], truncation=0.5, sigma=0.1)
        assert numeric[0] == 2.0
        assert bound[0] == pytest.approx(0.5 + 6.0 * 0.1 / 2**0.5)

    @pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
    @pytest.mark.parametrize("at", [0, 1])
    def test_unknown_is_nan_at_its_own_coordinate_only(self, bad, at):
        """A value that is not finite makes one estimate NaN and its bound inf."""
        values = [[1.0, 1.0], [1.0, 1.0], [1.0, 1.0]]
        values[1][at] = bad
        numeric, bound = self.screened(values)
        assert np.isnan(numeric).tolist() == [False, True, False]
        assert np.isinf(bound).tolist() == [False, True, False]

    def test_difference_that_overflows_is_unknown(self):
        """Two finite values whose difference is not finite give NaN, not inf."""
        numeric, bound = self.screened([[-1.7e308, 1.7e308]])
        assert (np.isnan(numeric[0]), bound[0]) == (True, np.inf)


class TestQuantile:
    @pytest.mark.parametrize("count", [1, 60, 1000, 10**6, 10**9])
    def test_family_wise(self, count):
        """All bounds of all coordinates together leave the interval with chance ALPHA (Bonferroni)."""
        assert 2 * norm.sf(quantile(count)) * count * BOUNDS_OF_A_COORDINATE == pytest.approx(ALPHA, rel=1e-6)


def test_complex_step_is_bound_by_its_rounding():
    """The bound of a complex step is 64 roundings of the derivative and of its block's typical one."""
    assert by_complex_step(np.array([1.0]), np.array([3.0]))[0] == 256 * np.finfo(float).eps
