"""The noise floor: never far under the true scatter of a cost, and its unusual causes are named."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from noise_cases import DOUBLE, EXACT, TYPICAL, X, in_extended, measured

from fastgrad.differences.noise import (
    POINTS,
    ROUNDS,
    BlockNoise,
    State,
    describe_noise,
    difference_table_noise,
    excess,
    fourth_difference_noise,
    measure_noise,
)
from fastgrad.differences.rounding import ROUNDING_SD, rounding_floor
from fastgrad.differences.stencils import CENTRAL
from fastgrad.differences.steps import default_step, representable


def true_deviation(cost, exact, theta, probes=4, points=60):
    """The largest standard deviation, over the coordinates, of cost minus exact cost about theta."""
    h, generator, worst = default_step(theta, CENTRAL), np.random.default_rng(0), 0.0
    for i in range(min(probes, len(theta))):
        errors = []
        for u in generator.uniform(-2, 2, points):
            moved = theta.copy()
            moved[i] = theta.dtype.type(float(theta[i]) + h * u)
            errors.append(float(exact(moved) - EXACT(float(cost(moved)))))
        worst = max(worst, float(np.std(np.array(errors) / np.abs(errors).max()) * np.abs(errors).max()))
    return worst


W = np.random.default_rng(5).standard_normal(10**6)

BIG = np.random.default_rng(6).standard_normal(10**6)


class TestBlockNoise:
    @pytest.mark.parametrize("name", TYPICAL)
    def test_true_deviation(self, name):
        """Sigma is the true standard deviation or more, up to ten times as much."""
        cost, exact, theta, epsilon = TYPICAL[name]
        noise = measured(cost, theta, epsilon)
        true = true_deviation(cost, exact, theta)
        assert true <= noise.sigma <= 10 * true
        assert noise.successes > 0

    def test_million_terms(self):
        """The roundings of a sum of a million terms are seen along one of them."""

        def cost(theta):
            return np.sum(W.astype(theta.dtype) * theta * theta)

        noise = measured(cost, BIG, probes=2)
        true = true_deviation(cost, in_extended(cost), BIG, probes=2, points=20)
        assert true <= noise.sigma <= 10 * true

    @pytest.mark.parametrize("value", [0.0, 3.7, -1e10, 1e300, 1e-300])
    def test_constant(self, value):
        """A constant cost has the noise of rounding its value, and never none at all."""
        noise = measured(lambda theta: value, X)
        assert noise.sigma == noise.floor == rounding_floor(abs(value), DOUBLE) > 0
        assert noise.successes == 0
        assert not noise.single_precision

    def test_evaluations(self):
        """No more than three tables of nine values are made for a coordinate, and all are counted."""
        for cost, _, theta, epsilon in TYPICAL.values():
            calls = []
            counted = lambda t, cost=cost, calls=calls: calls.append(0) or cost(t)  # noqa: E731
            noise = measured(counted, theta, epsilon)
            assert noise.evaluations == len(calls) - 1 <= ROUNDS * POINTS * 4

    def test_calls(self):
        """All coordinates are looked at in one call, three calls at most."""
        calls = []

        def sample(indices, offsets):
            calls.append(offsets.shape)
            return np.full(offsets.shape, 2.5)

        measure_noise(sample, X[:4], np.arange(4), 2.0**-17, epsilon=DOUBLE, largest=2.5)
        assert calls == [(4, POINTS)] * ROUNDS

    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    @given(st.lists(st.floats(-(2.0**60), 2.0**60, width=32), min_size=1, max_size=4), st.data())
    def test_points(self, dtype, values, data):
        """The nine points are representable, different, in place to an ulp, and asked for by index."""
        x = np.array(values, dtype=dtype)
        h = data.draw(st.sampled_from([2.0**-20, 2.0**-7, 1.0]))

        def sample(indices, offsets):
            at = x[indices - 5]
            assert (representable(at, offsets) == offsets).all()
            between = np.diff(at.astype(np.float64)[:, None] + offsets, axis=1)
            assert (between > 0).all()
            reach = np.abs(at.astype(np.float64)) + np.abs(offsets).max(axis=1)
            assert (np.ptp(between, axis=1) <= 2 * np.spacing(reach.astype(dtype))).all()
            return np.zeros(offsets.shape)

        measure_noise(sample, x, np.arange(5, 5 + len(x)), h, epsilon=DOUBLE, largest=0.0)

    def test_change_counted_from_the_parameters(self):
        """Where values count from the cost at the parameters, the noise is that at the very step."""
        x = X[:4]

        def sample(indices, offsets):
            return np.exp(x[indices])[:, None] * np.expm1(offsets)

        sigma = {}
        for h in (2.0**-20, 2.0**-10):
            noise = measure_noise(sample, x, np.arange(4), h, epsilon=DOUBLE, largest=0.0)
            value = np.exp(x.max()) * h
            assert ROUNDING_SD * DOUBLE / 2 * value <= noise.floor <= noise.sigma <= 10 * DOUBLE * value
            sigma[h] = noise.sigma
        assert 2**8 < sigma[2.0**-10] / sigma[2.0**-20] < 2**12

    def test_end_of_domain(self):
        """Where the cost has no value at the step, its noise is measured on the other side."""

        def barrier(theta):
            return -np.sum(np.log(1 - theta)) if (theta < 1).all() else np.nan

        theta = np.full(4, 1 - 1e-6)
        assert math.isnan(barrier(theta + default_step(theta, CENTRAL)))
        noise = measured(barrier, theta)
        assert noise.successes >= 3
        assert noise.floor <= noise.sigma < 50 * noise.floor

    @pytest.mark.parametrize("beyond", [np.nan, np.inf, -np.inf])
    def test_values_that_are_not_finite(self, beyond):
        """A cost that is inf on one side is measured on the other, and nobody is warned."""
        theta = np.full(4, 1 - 1e-6)
        noise = measured(lambda t: float(np.sum(np.exp(t))) if (t < 1).all() else beyond, theta)
        assert noise.successes >= 3
        assert noise.floor <= noise.sigma < 50 * noise.floor

    def test_nowhere_finite(self):
        """A cost that is NaN everywhere leaves the floor of the cost at the parameters."""
        sample = lambda indices, offsets: np.full(offsets.shape, np.nan)  # noqa: E731
        noise = measure_noise(sample, X[:2], np.arange(2), 2.0**-17, epsilon=DOUBLE, largest=1.5)
        assert noise.sigma == noise.floor == ROUNDING_SD * DOUBLE
        assert noise.successes == 0

    @pytest.mark.parametrize("wakes", [1e-5, 1e-3, 0.01, 0.02])
    def test_sleeping_unit(self, wakes):
        """A relu that sleeps at the parameters and wakes further off is no noise."""
        noise = measured(lambda theta: 1.3 + 1.7 * np.sum(np.maximum(theta - wakes, 0)), np.zeros(4))
        assert noise.sigma == noise.floor

    @pytest.mark.parametrize("size", [1.0, 1e-9])
    def test_a_jump_at_the_parameters(self, size):
        """A cost that jumps at the parameters, and stands still elsewhere, has no noise from it."""
        noise = measured(lambda theta: 1.3 - size * np.sum(theta < 0), np.zeros(4))
        assert noise.sigma == noise.floor
        assert noise.moved == 4
        assert noise.successes == 0

    def test_jumps_elsewhere_are_a_grid(self):
        """The twin: jumps on both sides of the parameters are noise, as of a cost on a grid."""
        noise = measured(lambda theta: 1.3 + 1e-3 * np.sum(np.round(30 * theta)), np.zeros(4))
        assert noise.sigma > 1e-4


EIGHTH = (2 * math.sin(1 / 4)) ** 8 * math.sin(2) / math.sqrt(math.comb(16, 8))
"""The level of order 8 of sin(k / 2), k = 0 .. 8, by the formula for differences of a sine."""


class TestDifferenceTable:
    @pytest.mark.parametrize("amplitude", [1e-290, 1e-16, 1.0, 1e300])
    def test_white_noise(self, amplitude):
        """Of white noise under a smooth slope most rows are accepted, near the true deviation."""
        t = np.arange(9) - 4.0
        noise = np.random.default_rng(1).standard_normal((500, 9))
        sigma, state = difference_table_noise(amplitude * (noise + 30 * t + 0.1 * t**2))
        accepted = sigma[state == State.OK] / amplitude
        assert len(accepted) > 400
        assert 0.75 < np.median(accepted) < 1.25
        assert ((accepted > 0.15) & (accepted < 3)).all()

    def test_smooth(self):
        """A smooth row whose shape covers all noise is too widely spaced, and its least level small."""
        sigma, state = difference_table_noise(np.exp(np.arange(9) / 20)[None])
        assert state.tolist() == [State.TOO_LARGE]
        assert 0 < sigma[0] < 1e-8

    # row, state, sigma
    ROWS = (
        ([2.0] * 9, State.TOO_SMALL, math.nan),
        ([0.0] * 9, State.TOO_SMALL, math.nan),
        ([1, 1, 1, 2, 2, 2, 2, 3, 3], State.TOO_SMALL, ROUNDING_SD),  # a grid of 1
        ([0, 0, 0, 0, -4, -4, -4, -4, -4], State.TOO_SMALL, 4 * ROUNDING_SD),
        ([0, 0, 0, 0, 0, 0, 1, 2, 3], State.TOO_SMALL, math.nan),  # a kink, not a grid
        ([3, 2, 1, 0, 0, 0, 0, 0, 0], State.TOO_SMALL, math.nan),
        ([2, 1, 0, 0, 0, 0, 0, 0, 1], State.TOO_SMALL, math.nan),
        ([0, 0, 0, 0, 1, 1, 1, 1, 9], State.TOO_SMALL, math.nan),
        ([1, 2, 3, 4, math.nan, 6, 7, 8, 9], State.NOT_FINITE, math.nan),
        ([1, 2, 3, 4, 5, 6, 7, 8, math.inf], State.NOT_FINITE, math.nan),
        ([-1.7e308, 1, 1, 1, 1.7e308, 1, 1, 1, 1], State.NOT_FINITE, math.nan),
        ([1, 2, 3, 4, 5, 6, 7, 8, 9], State.TOO_LARGE, 0.0),
        ([math.sin(k / 2) for k in range(9)], State.TOO_LARGE, EIGHTH),
    )

    @pytest.mark.parametrize(("row", "state", "sigma"), ROWS)
    def test_rows(self, row, state, sigma):
        """Each row says what it can: equal neighbours, jumps of a grid, no value, nothing but shape."""
        found, states = difference_table_noise(np.array([row], dtype=np.float64))
        assert states.tolist() == [state]
        assert found[0] == pytest.approx(sigma, nan_ok=True)

    @given(
        st.lists(st.lists(st.integers(-99, 99), min_size=9, max_size=9), max_size=5), st.integers(-900, 900)
    )
    def test_scale_and_offset(self, rows, exponent):
        """Doubling all values doubles sigma, a common offset changes nothing, rows do not see each other."""
        values = np.array(rows, dtype=np.float64).reshape(-1, 9)
        sigma, state = difference_table_noise(values)
        scaled, same = difference_table_noise(np.ldexp(values + 512, exponent))
        assert np.array_equal(scaled, np.ldexp(sigma, exponent), equal_nan=True)
        assert state.tolist() == same.tolist()
        for k in range(len(values)):
            alone, its = difference_table_noise(values[k : k + 1])
            assert np.array_equal(alone, sigma[k : k + 1], equal_nan=True)
            assert its[0] == state[k]


class TestDescription:
    def test_ordinary(self):
        """Nothing is said of ordinary noise."""
        assert describe_noise(BlockNoise(1e-15, 1e-16, 4, 36), 0.7) is None

    # noise, value, sentence
    SENTENCES = (
        (
            BlockNoise(2e-8, 1e-16, 4, 36, single_precision=True),
            0.7,
            "the cost is computed in float32: every value near the parameters is a float32 number, and the "
            "noise is 2e-08; compute it in float64 throughout, and the bounds shrink with it",
        ),
        (
            BlockNoise(2e-8, 3e-17, 4, 36),
            0.7,
            "values of the cost scatter by 2e-08 between neighbouring points, where rounding leaves 3e-17: "
            "as much as float32 arithmetic leaves. Look for a float32 array or a cast inside the cost, or "
            "else for an inner iteration that stops at a tolerance, or large terms that cancel",
        ),
        (
            BlockNoise(2e-12, 3e-17, 4, 36),
            0.7,
            "values of the cost scatter by 2e-12 between neighbouring points, where rounding leaves 3e-17: "
            "look for an inner iteration that stops at a tolerance (tighten it), a rounded result, or large "
            "terms that cancel",
        ),
    )

    @pytest.mark.parametrize(("noise", "value", "sentence"), SENTENCES)
    def test_sentence(self, noise, value, sentence):
        """What makes the noise is named, as far as it can be told, with the figures."""
        assert describe_noise(noise, value) == sentence

    @pytest.mark.parametrize("name", ["bisection", "rounded", "offset taken off"])
    def test_is_said(self, name):
        """An inner tolerance, a rounded result and a cancelled offset are spoken of."""
        cost, _, theta, _ = TYPICAL[name]
        assert "tolerance" in (describe_noise(measured(cost, theta), float(cost(theta))) or "")

    @pytest.mark.parametrize(
        "name", ["tanh net", "tanh net in float32", "exp", "exp at 0", "offset 1e10", "linear"]
    )
    def test_is_not_said(self, name):
        """Ordinary rounding is not spoken of, whatever the size of the cost."""
        cost, _, theta, epsilon = TYPICAL[name]
        assert describe_noise(measured(cost, theta, epsilon), float(cost(theta))) is None

    def test_many_terms(self):
        """A sum of many terms may be noisier before anything is said."""
        assert excess(2e-14, 1e-16)
        assert not excess(2e-14, 1e-16, terms=10_000)


class TestFourthDifference:
    def values(self, m, seed=2):
        """Cubics through 3 with white noise of 1e-10, at -2h, -h, h, 2h."""
        generator = np.random.default_rng(seed)
        t, a = np.array([-2.0, -1, 1, 2]), generator.standard_normal((m, 3, 1))
        smooth = 3 + 1e-3 * a[:, 0] * t + 1e-6 * a[:, 2] * t**3
        return smooth + 1e-10 * generator.standard_normal((m, 4))

    def test_cubics(self):
        """The spread of fourth differences gives the noise under any cubic without a square term."""
        assert fourth_difference_noise(self.values(400), 3.0) == pytest.approx(1e-10, rel=0.2)

    def test_own_centre(self):
        """With a noisy value at 0 of each row's own, the norm is the longer one."""
        generator = np.random.default_rng(4)
        v = np.insert(self.values(400), 2, 3 + 1e-10 * generator.standard_normal(400), axis=1)
        assert fourth_difference_noise(v, 3.0) == pytest.approx(1e-10, rel=0.2)

    def test_common_centre_drops_out(self):
        """The error of the common value at 0 does not count as noise."""
        v = self.values(100)
        expected = fourth_difference_noise(v, 3.0)
        assert fourth_difference_noise(v, 3.0 + 1e-7) == pytest.approx(expected, rel=1e-4)

    def test_too_few(self):
        """Fewer than eight rows that are finite and move say nothing."""
        assert math.isnan(fourth_difference_noise(self.values(7), 3.0))
        still = np.vstack([self.values(7), np.full((9, 4), 3.0), np.full((9, 4), np.nan)])
        assert math.isnan(fourth_difference_noise(still, 3.0))
        assert fourth_difference_noise(self.values(8), 3.0) > 0

    def test_kinked_rows_do_not_count(self):
        """A few rows that cross a kink leave the spread as it is."""
        v = self.values(100)
        clean = fourth_difference_noise(v, 3.0)
        v[:10, 3] += 1.0
        assert fourth_difference_noise(v, 3.0) < 2 * clean
