"""The adjudicator: its bound holds the true error, or there is none, whatever the cost is like."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ladder_cases import EPS, Z, ruled

from fastgrad.differences.ladder import SURE, adjudicate, confirm, largest_around
from fastgrad.differences.reasons import Reason
from fastgrad.differences.rulings import NoiseModel

# f, f', and how far from 1 the noise's own scale is
SMOOTH = {
    "sin": (np.sin, np.cos),
    "sin 1000x": (lambda x: np.sin(1000 * x), lambda x: 1000 * np.cos(1000 * x)),
    "sin 1e4 x": (lambda x: np.sin(1e4 * x), lambda x: 1e4 * np.cos(1e4 * x)),
    "1/x": (lambda x: 1 / x, lambda x: -1 / x**2),
    "exp": (np.exp, np.exp),
    "steep tanh": (lambda x: np.tanh(1e4 * (x - 1)), lambda x: 1e4 / np.cosh(1e4 * (x - 1)) ** 2),
    "cubic": (lambda x: x**3 - x, lambda x: 3 * x**2 - 1),
    "linear": (lambda x: 3 * x, lambda x: 3 + 0 * x),
    "cusp": (lambda x: np.abs(x - 0.3) ** 1.5, lambda x: 1.5 * np.sign(x - 0.3) * abs(x - 0.3) ** 0.5),
    "relu sum": (
        lambda x: sum(np.maximum(x - c, 0) for c in np.linspace(0.1, 3, 200)),
        lambda x: sum((x > c) * 1.0 for c in np.linspace(0.1, 3, 200)),
    ),
    "log barrier": (lambda x: -1e-3 * np.log(x - 0.2), lambda x: -1e-3 / (x - 0.2)),
}  # fmt: skip


class TestBoundHolds:
    @pytest.mark.parametrize("name", SMOOTH)
    @given(x=st.floats(0.25, 2.9), then_confirm=st.booleans())
    @settings(max_examples=150)
    def test_smooth_below_some_scale(self, name, x, then_confirm):
        """Where f is smooth below some step, the true slope lies within the bound, or none is given."""
        f, slope = SMOOTH[name]
        with np.errstate(over="ignore"):
            truth = float(slope(np.float64(x)))
        size = max(abs(float(f(np.float64(x)))), 1.0) * (1 + abs(x * truth))
        found = ruled(f, x, sigma=EPS * size, then_confirm=then_confirm)
        low, high = found.numeric[0] - found.error_bound[0], found.numeric[0] + found.error_bound[0]
        if found.kink[0]:
            low, high = found.lower[0], found.upper[0]
        assert np.isnan(low) or low <= truth <= high

    @given(st.floats(-1, 1), st.integers(0, 10**6))
    @settings(max_examples=300)
    def test_noise(self, x, seed):
        """Noise of a known size in every value does not push the estimate out of its bound."""
        rng = np.random.default_rng(seed)
        sigma = 10.0 ** rng.uniform(-14, -3)
        found = ruled(lambda p: np.sin(p) + sigma * rng.normal(size=p.shape), x, sigma=sigma)
        assert np.isnan(found.numeric[0]) or abs(found.numeric[0] - np.cos(x)) <= found.error_bound[0]

    @given(st.floats(0.3, 2), st.booleans())
    @settings(max_examples=150)
    def test_float32(self, x, as_dtype):
        """A function computed in float32, of float32 parameters or not, is bounded by its own noise."""
        x = float(np.float32(x))
        f = lambda p: np.exp(p.astype(np.float32)).astype(np.float64)  # noqa: E731
        dtype = np.float32 if as_dtype else np.float64
        found = ruled(f, x, sigma=float(np.exp(x) * 2e-7 * (1 if as_dtype else 3)), dtype=dtype)
        assert np.isnan(found.numeric[0]) or abs(found.numeric[0] - np.exp(x)) <= found.error_bound[0]

    @pytest.mark.parametrize("power", [1.1, 1.25, 1.5, 1.75])
    @pytest.mark.parametrize("odd", [True, False])
    def test_a_derivative_that_is_not_smooth(self, power, odd):
        """|x|^p at 0 has derivative 0 and no second one: the bound allows for it."""
        f = (lambda x: np.sign(x) * np.abs(x) ** power) if odd else (lambda x: np.abs(x) ** power)
        found = ruled(f, 0.0, sigma=1e-18)
        low, high = found.numeric - found.error_bound, found.numeric + found.error_bound
        low, high = np.where(found.kink, found.lower, low), np.where(found.kink, found.upper, high)
        assert np.isnan(low[0]) or low[0] <= 0.0 <= high[0]

    def test_is_of_use(self):
        """The bound of a smooth function of scale 1 is under 1e-8 in float64 and 1e-2 in float32."""
        x = np.linspace(0.3, 2, 50)
        assert ruled(np.sin, x).error_bound.max() < 1e-8
        found = ruled(
            lambda p: np.sin(p.astype(np.float32)), x.astype(np.float32), sigma=6e-8, dtype=np.float32
        )
        assert found.error_bound.max() < 1e-2

    def test_one_by_one_is_as_all_together(self):
        """Each of 5,000 coordinates is ruled upon as if it were alone, to the bit."""
        x = np.random.default_rng(0).uniform(0.3, 3, 5000)
        together = ruled(np.cos, x, sigma=1e-16)
        for k in range(0, 5000, 250):
            alone = ruled(np.cos, x[k], sigma=1e-16)
            assert (alone.numeric[0], alone.error_bound[0]) == (together.numeric[k], together.error_bound[k])

    @pytest.mark.parametrize("scale", [1e-8, 1.0, 1e8])
    def test_scale_of_the_parameter(self, scale):
        """Parameters of any size are ruled upon alike, in their own units."""
        found = ruled(lambda x: np.sin(x / scale), 0.7 * scale, sigma=1e-16, scale=scale)
        assert found.error_bound[0] * scale < 1e-8
        assert abs(found.numeric[0] * scale - np.cos(0.7)) <= found.error_bound[0] * scale


class TestNoDerivative:
    @pytest.mark.parametrize("at", [0.0, 1e-12, -1e-12])
    def test_jump(self, at):
        """Across a jump there is no derivative to be found, and it is called a jump."""
        found = ruled(lambda x: (x > at) * 1.0 + x, 0.0, sigma=1e-16)
        assert (np.isnan(found.numeric[0]), found.error_bound[0]) == (True, np.inf)
        assert found.reason[0] == Reason.JUMP

    def test_wild(self):
        """x sin(1/x) at 0 has no derivative: slopes from -1 to 1 are all that is said of it."""
        found = ruled(lambda x: x * np.sin(1 / np.where(x == 0, 1, x)), 0.0, sigma=1e-18)
        assert found.kink[0]
        assert -1.1 < found.lower[0] < -0.2 < 0.2 < found.upper[0] < 1.1

    def test_infinite_slope_at_the_end_of_the_domain(self):
        """sqrt at 0 has an infinite slope and no values on one side."""
        found = ruled(np.sqrt, 0.0, sigma=1e-18)
        assert np.isnan(found.numeric[0])
        assert found.reason[0] == Reason.NOT_FINITE

    def test_nothing_finite(self):
        """Where no perturbed value is finite nothing is known."""
        found = ruled(lambda x: np.where(x == 0, 1.0, np.nan), 0.0, sigma=1e-16)
        assert (np.isnan(found.numeric[0]), found.reason[0]) == (True, Reason.NOT_FINITE)


class TestEndOfDomain:
    @pytest.mark.parametrize("distance", [1e-2, 1e-4, 1e-6])
    def test_steps_shrink_before_the_end(self, distance):
        """A logarithm whose domain ends 1e-6 away is measured with steps that stay inside."""
        found = ruled(lambda x: np.log(x), distance, sigma=1e-15)
        assert abs(found.numeric[0] * distance - 1) <= found.error_bound[0] * distance < 1e-3
        assert not found.one_sided[0]

    def test_at_the_end_differences_are_one_sided(self):
        """Where one side has no values the other one's differences decide."""
        found = ruled(lambda x: np.where(x < 1, np.nan, np.exp(x)), 1.0, sigma=1e-15)
        assert found.one_sided[0]
        assert abs(found.numeric[0] - np.e) <= found.error_bound[0] < 1e-5


class TestConfirm:
    def test_refutes_a_lucky_first(self):
        """Where the two ladders do not meet the noise model is refuted, and nothing is known."""
        x = np.zeros(1)
        calls = []

        def sample(indices, offsets):
            calls.append(1)
            return offsets * (1.0 if len(calls) == 1 else 2.0)

        given = {"scale": np.ones(1), "noise": NoiseModel(np.full(1, 1e-16), np.zeros(1)), "z": Z}
        first = adjudicate(sample, x, np.arange(1), 0.0, **given)
        second = confirm(sample, x, np.arange(1), 0.0, first, **given)
        assert first.numeric[0] == 1.0
        assert (np.isnan(second.numeric[0]), second.error_bound[0]) == (True, np.inf)

    def test_never_narrower_than_the_two_are_apart(self):
        """The bound covers both estimates."""
        x = np.linspace(0.3, 2, 40)
        first, both = ruled(np.exp, x), ruled(np.exp, x, then_confirm=True)
        assert (np.abs(first.numeric - both.numeric) <= both.error_bound).all()

    def test_three_times_the_wider_of_the_two(self):
        """What is called wrong must be sure: the bound is SURE times the wider of the two at least."""
        x = np.linspace(0.3, 2, 40)
        first, both = ruled(np.exp, x), ruled(np.exp, x, then_confirm=True)
        assert (both.error_bound >= SURE * first.error_bound * (1 - 1e-12)).all()


@given(st.lists(st.lists(st.floats(0, 9), min_size=4, max_size=4), min_size=1, max_size=3))
def test_largest_around(rows):
    """Each level has the largest of its own and its neighbours'."""
    expected = [[max(row[max(k - 1, 0) : k + 2]) for k in range(4)] for row in rows]
    assert largest_around(np.array(rows)).tolist() == expected
