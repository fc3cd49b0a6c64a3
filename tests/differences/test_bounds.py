"""Estimates and their error bounds: the bound holds the true error, is of use, and unknown is NaN."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
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
    unevenness,
)
from fastgrad.differences.stencils import CENTRAL, FOUR_POINTS, SIX_POINTS, STENCILS

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


class Kinked:
    """A cost along one coordinate: a cubic and kinks, whose derivative at 0 is known."""

    def __init__(self, slope, bend, kinks, rest=0.0):
        self.slope, self.bend, self.rest = slope, bend, rest
        self.kinks = [(at, jump) for at, jump in kinks if at]

    def __call__(self, d):
        """The values, 0 at 0."""
        smooth = self.slope * d + self.bend * d**2 + self.rest * d**3
        return smooth + sum(j * (np.maximum(d - c, 0) - np.maximum(-c, 0)) for c, j in self.kinks)

    @property
    def truth(self):
        """The derivative at 0."""
        return self.slope + sum(jump for at, jump in self.kinks if at < 0)


h = 2.0**-10
places = st.floats(-4.5, 4.5).filter(lambda t: abs(t) > 1e-6)
"""Of a kink, in units of the step."""


def along(f, points=FOUR_POINTS, step=h):
    """The values of f at a stencil's points around 0, and the displacements."""
    d = step * np.array([points])
    return f(d), d


def four(f, sigma=0.0, z=5.0):
    """Estimate and bound by four points of a cost that is 0 at 0."""
    numeric, bound = by_four_points(*along(f), 0.0, np.array([h]), np.array([sigma]), z)
    return float(numeric[0]), float(bound[0])


def six(f, sigma=0.0, z=5.0):
    """The same by six points."""
    numeric, bound = by_six_points(*along(f, SIX_POINTS), 0.0, np.array([h]), np.array([sigma]), z)
    return float(numeric[0]), float(bound[0])


class TestUnevenness:
    def of(self, f, step=h, sigma=0.0):
        """That of a cost that is 0 at 0."""
        (near, far), one = ((f(k * step) + f(-k * step)) for k in (1, 2)), np.ones(1)
        return float(unevenness(near * one, far * one, step * one, sigma * one)[0])

    @given(st.floats(-9, 9), st.floats(-9, 9), st.floats(-9, 9))
    def test_none_for_a_cubic(self, a, b, c):
        """A polynomial of the third degree has none but for rounding, whatever its coefficients are."""
        assert self.of(lambda d: a * d + b * d**2 + c * d**3) <= 1e-12

    @pytest.mark.parametrize("step", [2.0**-3, 2.0**-5, 2.0**-8])
    def test_shrinks_as_the_cube_for_a_smooth_cost(self, step):
        """Of a smooth cost it is h^3 f'''' / 2, a thousandth of the truncation at h = 2^-8."""
        assert self.of(lambda d: np.cosh(d) - 1, step) == pytest.approx(step**3 / 2, rel=0.02)

    @given(places, st.floats(0.1, 9), st.floats(-9, 9))
    def test_is_half_the_slope_jump_near_the_point(self, at, jump, bend):
        """A kink that jumps by J shows by |3 c - 2 h| J / 2 h within h, and by (2 h - c) J / 2 h beyond."""
        c = abs(at)
        expected = jump * (abs(3 * c - 2) / 2 if c <= 1 else max(2 - c, 0) / 2)
        assert self.of(Kinked(1.0, bend, [(at * h, jump)])) == pytest.approx(expected, abs=1e-9 * jump)

    def test_noise_is_taken_off(self):
        """What noise alone leaves is taken off: of a hundred straight lines in noise 95 show none."""
        rng = np.random.default_rng(0)
        f = rng.normal(size=(20_000, 5))  # at -2h, -h, 0, h, 2h
        near, far = f[:, 1] + f[:, 3] - 2 * f[:, 2], f[:, 0] + f[:, 4] - 2 * f[:, 2]
        one = np.ones(len(f))
        assert 0.94 < (unevenness(near, far, one, one) == 0).mean() < 0.97
        assert (unevenness(near, far, one, 0 * one) == 0).sum() == 0

    @pytest.mark.parametrize("bad", [np.nan, np.inf])
    def test_none_where_it_is_not_known(self, bad):
        """A value that is not finite says nothing of kinks."""
        one = np.ones(1)
        assert unevenness(bad * one, one, one, 0 * one)[0] == 0
        assert unevenness(one, bad * one, one, 0 * one)[0] == 0


class TestByFourPoints:
    def test_error_is_known_to_be_truncation(self):
        """Without noise the bound is twice the second-order difference's truncation, and holds the error.

        Once is not enough for a kink at two thirds of the step (`test_holds_at_each_place_of_a_kink`).
        """
        numeric, bound = four(np.sin)
        assert abs(numeric - 1.0) <= bound
        assert bound == pytest.approx(2 * h**2 / 6, rel=1e-3)

    def test_noise_adds(self):
        """Noise of the values widens the bound by Z 0.95 sigma / h."""
        assert four(lambda d: d, 1e-12, 6.0)[1] == pytest.approx(6.0 * 0.95e-12 / h)

    @pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
    @pytest.mark.parametrize("at", range(4))
    def test_unknown(self, bad, at):
        """Any value that is not finite makes the estimate NaN and its bound inf."""
        f, d = along(np.sin)
        f[0, at] = bad
        numeric, bound = by_four_points(f, d, 0.0, np.array([h]), np.zeros(1), 5.0)
        assert (np.isnan(numeric[0]), bound[0]) == (True, np.inf)

    def test_values_count_from_anywhere(self):
        """Values around another cost at the parameters give the same derivative and the same bound."""
        f, d = along(lambda d: d + 2 * d**2)
        one = np.array([h])
        assert by_four_points(f, d, 0.0, one, 0 * one, 5.0) == by_four_points(
            f + 8, d, 8.0, one, 0 * one, 5.0
        )

    @given(places, st.floats(-9, 9), st.floats(-9, 9), st.floats(0.01, 9))
    @settings(max_examples=300)
    def test_holds_beside_a_kink(self, at, slope, bend, jump):
        """A kink anywhere within reach, or beyond, leaves the true slope within the bound."""
        cost = Kinked(slope, bend, [(at * h, jump)])
        numeric, bound = four(cost)
        assert abs(numeric - cost.truth) <= bound * (1 + 1e-9) + 1e-12

    @pytest.mark.parametrize("t", np.arange(0.05, 2.5, 0.05).round(2))
    @pytest.mark.parametrize("side", [-1, 1])
    def test_holds_at_each_place_of_a_kink(self, t, side):
        """Wherever a kink lies between the point and 2.5 steps away, the bound holds what it changes."""
        cost = Kinked(1.0, 0.0, [(side * t * h, 1.0)])
        numeric, bound = four(cost)
        assert abs(numeric - cost.truth) <= bound * (1 + 1e-9)

    @given(st.integers(-40, 40), st.integers(-40, 40), places)
    def test_units(self, of_cost, of_parameter, at):
        """Cost and parameter in other units have estimates and bounds in these units, to the bit."""
        cost, unit = Kinked(1.5, -2.0, [(at * h, 0.5)]), 2.0**of_parameter
        f, d = along(cost)
        one = by_four_points(f, d, 0.0, np.array([h]), np.array([1e-9]), 5.0)
        c = 2.0**of_cost
        other = by_four_points(c * f, d * unit, 0.0, np.array([h * unit]), np.array([c * 1e-9]), 5.0)
        assert [float(v[0]) * c / unit for v in one] == [float(v[0]) for v in other]


class TestSixPoints:
    step = 2.0**-6

    def of(self, f, sigma, z=6.0):
        """Estimate and bound of a cost that is 0 at 0, at a wider step."""
        given_step, noise = np.array([self.step]), np.array([sigma])
        numeric, bound = by_six_points(*along(f, SIX_POINTS, self.step), 0.0, given_step, noise, z)
        return float(numeric[0]), float(bound[0])

    @given(st.floats(-3, 3), st.sampled_from([np.sin, np.exp, np.arctan]))
    def test_error_is_within_the_bound(self, x, f):
        """For smooth costs the fourth-order difference is within its bound, and that is narrow."""
        numeric, bound = self.of(lambda d: f(x + d) - f(np.full((), x)), 1e-16, 5.0)
        truth = {np.sin: np.cos(x), np.exp: np.exp(x), np.arctan: 1 / (1 + x**2)}[f]
        assert abs(numeric - truth) <= bound
        assert bound < 1e-4 * max(1.0, abs(truth))

    def test_exact_for_a_cubic(self):
        """Polynomials of the third degree have no error, and noise alone makes the bound."""
        numeric, bound = self.of(lambda d: -2 * d**3 + d**2 + 3 * d, 1e-12)
        assert numeric == pytest.approx(3.0, abs=1e-13)
        assert bound == pytest.approx(6.0 * 0.95e-12 / self.step, rel=1e-3)

    @given(places, st.floats(-9, 9), st.floats(-9, 9), st.floats(0.01, 9))
    @settings(max_examples=300)
    def test_holds_beside_a_kink(self, at, slope, bend, jump):
        """A kink anywhere within reach, or beyond, leaves the true slope within the bound."""
        cost = Kinked(slope, bend, [(at * h, jump)])
        numeric, bound = six(cost)
        assert abs(numeric - cost.truth) <= bound * (1 + 1e-9) + 1e-12

    def test_a_kink_within_reach_widens_it(self):
        """A kink between two of the points makes the bound as wide as what it changes."""
        assert six(Kinked(1.0, 0.0, [(3 * h, 1.0)]))[1] > 0.01
        assert six(Kinked(1.0, 0.0, []))[1] < 1e-12


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
