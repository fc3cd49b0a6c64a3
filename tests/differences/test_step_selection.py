"""The step of a block: where truncation and noise balance, for any cost, within a fixed price."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastgrad.differences.stencils import CENTRAL
from fastgrad.differences.step_selection import (
    BALANCED,
    CAPPED,
    DISTURBED,
    LEAST,
    NOT_FINITE,
    ROUNDS,
    choose_step,
    curvature_ratio,
    fourth_ratio,
    step_cap,
)
from fastgrad.differences.steps import default_step, representable
from fastgrad.problem.block import SMALLEST_TYPICAL_SIZE, typical_size

EPS = 2.0**-52


def separate(f):
    """A sampler of the coordinates x of `chosen`, each moving a cost of its own: f(x + offset)."""

    def wrapped(x):
        def sample(indices, offsets):
            with np.errstate(all="ignore"):
                return np.asarray(f(x[indices].astype(np.float64)[:, None] + offsets), dtype=np.float64)

        return sample

    return wrapped


def chosen(f, x, sigma, *, start=None, cap=None, f0=None):
    """The step for one cost f of one number, at the probes x; sigma a number or a function of h."""
    x = np.asarray(x)
    start = default_step(x, CENTRAL) if start is None else start
    with np.errstate(all="ignore"):
        f0 = float(np.asarray(f(x[:1].astype(np.float64)))[0]) if f0 is None else f0
    cap = step_cap(typical_size(x)) if cap is None else cap
    noise_of = sigma if callable(sigma) else lambda h: sigma
    return choose_step(separate(f)(x), x, np.arange(len(x)), start, f0=f0, noise_of=noise_of, cap=cap)


def relu_at(c, jump=1.0):
    """A cost with a kink at c."""
    return lambda t: 1.0 + 0.3 * t + jump * np.maximum(t - c, 0)


def balance(third, sigma):
    """The step (3 sigma / M3)^(1/3) of least error."""
    return (3 * sigma / third) ** (1 / 3)


class TestSmooth:
    # cost, probes, largest third derivative, noise
    TABLE = (
        (np.exp, [0.5], math.exp(0.5), 4e-16),
        (np.exp, [0.5, -0.3, 0.1, 0.9], math.exp(0.9), 4e-16),
        (np.exp, [1e-8], 1.0, 4e-16),
        (np.exp, [0.0], 1.0, 4e-16),
        (lambda t: np.sin(1e4 * t), [0.37], 1e12 * abs(math.cos(3700)), 1e-12),
        (lambda t: np.cos(t / 1e8), [1e8], 1e-24 * math.sin(1), 2e-16),
        (lambda t: np.sin(t), [1e8], abs(math.cos(1e8)), 2e-16),
        (lambda t: 1e10 + np.exp(t), [0.5], math.exp(0.5), 2e-6),
        (lambda t: 1e300 * np.exp(t), [0.5], 1e300 * math.exp(0.5), 4e284),
        (lambda t: 1e-300 * np.exp(t), [0.5], 1e-300 * math.exp(0.5), 4e-316),
        (lambda t: -np.log(t), [1e-6], 2e18, 4e-15),
        (lambda t: -np.log(1 - t), [1 - 1e-6], 2e18, 4e-15),
        (lambda t: np.tanh(t), [2.0], 0.2542, 2e-16),
        (lambda t: t**3, [1.0], 6.0, 2e-16),
    )

    @pytest.mark.parametrize(("f", "x", "third", "sigma"), TABLE)
    def test_step(self, f, x, third, sigma):
        """The step is within a factor of four of the one with the least error."""
        choice = chosen(f, np.array(x), sigma)
        assert choice.reason == BALANCED
        assert 1 / 4 < choice.h / balance(third, sigma) < 4

    def test_worst_probe(self):
        """The probe of largest curvature decides."""
        f = lambda t: np.where(t < 5, np.sin(t), np.sin(1e3 * t))  # noqa: E731
        assert chosen(f, [0.3, 0.7, 6.1], 1e-16).h == pytest.approx(chosen(f, [6.1], 1e-16).h, rel=1)
        assert chosen(f, [0.3, 0.7], 1e-16).h > 100 * chosen(f, [0.3, 6.1], 1e-16).h

    def test_float32(self):
        """In a float32 block the step is as good, and every point is a float32 number."""
        x = np.array([0.3, -0.7], dtype=np.float32)

        def sample(indices, offsets):
            assert (representable(x[indices], offsets) == offsets).all()
            return np.exp((x[indices][:, None] + offsets).astype(np.float32)).astype(np.float64)

        start = default_step(x, CENTRAL)
        noise = 1e-7
        choice = choose_step(sample, x, np.arange(2), start, f0=1.0, noise_of=lambda h: noise, cap=0.0625)
        assert 1 / 4 < choice.h / balance(math.exp(0.3), noise) < 4

    @given(st.floats(-6, 6), st.floats(-8, 2), st.floats(-17, -5), st.floats(0, 3))
    def test_any_scale(self, log_rate, log_size, log_noise, phase):
        """For sines of any rate, size and noise the step balances, or the cap or the least step stops it."""
        rate, size = 10**log_rate, 10**log_size
        sigma = size * 10**log_noise
        # sin(a + rate t) - sin(a), without the rounding of a + rate t
        f = lambda t: size * 2 * np.cos(phase + rate * t / 2) * np.sin(rate * t / 2)  # noqa: E731
        third = size * rate**3 * abs(math.cos(phase))
        choice = chosen(f, [0.0], sigma)
        if choice.reason == BALANCED and abs(math.cos(phase)) > 0.1 and log_noise < -9:
            assert 1 / 4 < choice.h / balance(third, sigma) < 4
        elif choice.reason == CAPPED:
            assert choice.h == step_cap(1.0)

    @pytest.mark.parametrize("f", [np.exp, np.sin, lambda t: t**3, lambda t: 1 / (3 + t)])
    def test_truncation(self, f):
        """The truncation to expect is twice |D(h) - D(2h)| / 3, and the true one stays below it."""
        x = np.array([0.3, 0.8])
        choice = chosen(f, x, 1e-12)
        h, half = choice.h, lambda h: (f(x + h) - f(x - h)) / (2 * h)
        assert choice.truncation == pytest.approx(np.abs(half(h) - half(2 * h)).max() * 2 / 3, rel=1e-2)
        tiny = 2.0**-16
        assert np.abs(half(h) - half(tiny)).max() < choice.truncation

    def test_noise_that_falls_with_the_offset(self):
        """Where noise is proportional to the step, r2 is measured against the noise at that step."""
        f = lambda t: np.expm1(t)  # noqa: E731
        choice = chosen(f, [0.0], lambda h: 1e-10 * h, start=2.0**-17, f0=0.0)
        assert choice.reason == BALANCED
        assert 1 < choice.h**3 / (3 * 1e-10 * choice.h) < 9


class TestLimits:
    @pytest.mark.parametrize("f", [lambda t: 0 * t, lambda t: 0 * t + 3.7, lambda t: 2 * t, lambda t: t * t])
    @pytest.mark.parametrize("x", [[0.5, -0.25], [0.0], [300.0, 200.0], [1e-8]])
    def test_cap(self, f, x):
        """A constant, linear or quadratic cost is stepped up to the cap."""
        x = np.array(x)
        cap = min(step_cap(typical_size(x)), default_step(x, CENTRAL) * 2**13)
        sigma = EPS * 4 * max(1.0, float(np.max(np.abs(f(x)))))
        choice = chosen(f, x, sigma, cap=cap)
        assert (choice.h, choice.reason) == (cap, CAPPED)

    @pytest.mark.parametrize(("typical", "cap"), [(1.0, 2.0**-4), (1e-9, 2.0**-14), (160.0, 16.0)])
    def test_step_cap(self, typical, cap):
        """The cap is a tenth of the typical size, not under a tenth of 1e-3, down to a power of two."""
        assert step_cap(typical) == cap
        assert cap <= 0.1 * max(typical, SMALLEST_TYPICAL_SIZE) < 2 * cap

    def test_least_by_ulp(self):
        """No step is under 16 ulp of every probe, and a probe that h cannot move exactly has no vote."""
        choice = chosen(lambda t: np.sin(1e6 * t), [1e6, 1e8], 1e-16)
        assert (choice.h, choice.reason) == (16 * np.spacing(1e6), LEAST)
        far = np.array([0.5, 1e15 + 0.125])  # 0.125 is one ulp
        choice = chosen(lambda t: t * (t > 1), far, 1e-2, start=2.0**-4, cap=2.0**-3, f0=0.0)
        assert (choice.h, choice.reason) == (2.0**-3, CAPPED)

    @given(
        st.sampled_from([np.exp, np.sin, np.abs, np.sqrt, np.log, np.floor, lambda t: 1 / t, lambda t: t**9]),
        st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=4),
        st.floats(-300, 10),
        st.integers(-60, 20),
    )
    def test_price(self, f, x, log_noise, start):
        """At most six rounds of four evaluations a probe, all counted; then a power of two in the limits."""
        calls = []
        x, cap = np.array(x), 2.0**12

        def counted(t):
            calls.append(t.size)
            return f(t)

        choice = chosen(counted, x, 10**log_noise, start=2.0**start, cap=cap, f0=1.0)
        assert choice.evaluations == sum(calls) <= 4 * ROUNDS * len(x)
        assert len(calls) <= ROUNDS
        assert math.frexp(choice.h)[0] == 0.5
        assert choice.h <= max(cap, 32 * np.spacing(np.abs(x).min()))
        assert choice.truncation >= 0


class TestKinks:
    @pytest.mark.parametrize("distance", [1e-6, 1e-5, 1e-4, 1e-3, 1e-2])
    @pytest.mark.parametrize("sign", [-1, 1])
    def test_near(self, distance, sign):
        """A kink nearby ends the growth of the step, so that no point of the stencil is beyond it."""
        choice = chosen(relu_at(sign * distance), np.zeros(1), 4e-16, cap=2.0**-4)
        assert choice.reason == DISTURBED
        assert 2 * choice.h <= distance * (1 + 1e-6) <= 16 * choice.h
        assert choice.truncation <= 4e-16 / choice.h

    def test_faint(self):
        """A kink too faint for r2, among noise, is seen by the fourth difference and not crossed by much."""
        sigma, jump, c = 1e-7, 6e-4, 8e-3
        for start in (2.0**-12, 2.0**-9):
            choice = chosen(relu_at(c, jump), np.zeros(1), sigma, start=start)
            assert (choice.h < c, choice.reason) == (True, DISTURBED)

    def test_jump(self):
        """A cost that jumps nearby is not stepped across the jump."""
        choice = chosen(lambda t: t + (t > 1e-3), np.zeros(2), 4e-16)
        assert 2 * choice.h <= 1e-3

    @pytest.mark.parametrize(
        "f", [np.abs, lambda t: np.maximum(t, 0), lambda t: np.maximum(t, 0) + np.exp(t)]
    )
    def test_at_the_parameters(self, f):
        """A kink at the parameters themselves, which no step avoids, does not shrink the step."""
        assert chosen(f, np.zeros(1), 4e-16).h >= default_step(np.zeros(1), CENTRAL) / 4


class TestDomain:
    @pytest.mark.parametrize("distance", [1e-10, 1e-6, 1e-3])
    @pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
    def test_end(self, distance, value):
        """Where the domain ends nearby, the step shrinks until all four points are inside."""
        f = lambda t: np.where(t < distance, np.exp(t), value)  # noqa: E731
        choice = chosen(f, np.zeros(2), 4e-16)
        assert 2 * choice.h < distance
        assert math.isfinite(choice.truncation)

    def test_growth(self):
        """The step of a linear cost grows up to the end of the domain and steps back."""
        f = lambda t: np.where(t < 1e-3, 2 * t, math.nan)  # noqa: E731
        choice = chosen(f, np.zeros(2), 4e-16)
        assert choice.reason == DISTURBED
        assert 1e-3 / 4 < 2 * choice.h < 1e-3

    def test_nowhere(self):
        """A cost without any value has a step that promises nothing."""
        choice = chosen(lambda t: t * math.nan, np.zeros(2), 4e-16)
        assert (choice.reason, choice.truncation) == (NOT_FINITE, math.inf)


class TestRatios:
    @given(st.floats(-9, 9), st.floats(-9, 9), st.floats(0.1, 9), st.floats(0.1, 9))
    def test_cubic(self, a, b, third, h):
        """r2 of a cubic is h^3 f''' / 3 sigma, whatever its lower terms; d4 sees none of it."""
        t = np.array([[-2.0, -1, 1, 2]]) * h
        f = 5 + a * t + b * t**2 + third * t**3 / 6
        assert curvature_ratio(f, 0.1)[0] == pytest.approx(h**3 * third / 0.3, rel=1e-6, abs=1e-7)
        assert fourth_ratio(f, 5.0, 0.1)[0] == pytest.approx(0, abs=1e-6)

    def test_quartic(self):
        """d4 of t^4 is 24 h^4, which r2 does not see."""
        f = np.array([[16.0, 1, 1, 16]])
        assert fourth_ratio(f, 0.0, 1.0).tolist() == [4.0]
        assert curvature_ratio(f, 1.0).tolist() == [0.0]

    def test_kink(self):
        """Beside a kink of jump J at c < h, r2 is J c / 6 sigma and the other J |3c - 2h| / 6 sigma."""
        for c in (0.1, 0.4, 0.9):
            f = np.maximum(np.array([[-2.0, -1, 1, 2]]) - c, 0) * 6
            assert curvature_ratio(f, 1.0)[0] == pytest.approx(c)
            assert fourth_ratio(f, 0.0, 1.0)[0] == pytest.approx(abs(3 * c - 2))

    @pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
    def test_not_finite(self, value):
        """A row with a value that is not finite has no ratio; the others keep theirs."""
        f = np.array([[1.0, 2, 3, value], [-8.0, -1, 1, 8]])
        assert np.isnan(curvature_ratio(f, 1.0)).tolist() == [True, False]
        assert np.isnan(fourth_ratio(f, 0.0, 1.0)).tolist() == [True, False]
