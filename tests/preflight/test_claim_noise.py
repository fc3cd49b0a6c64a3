"""The noise of the claimed gradient's own arithmetic: measured where it is asked for, and of use."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fastgrad
from fastgrad.preflight import claim_noise
from fastgrad.preflight.claim_noise import POINTS, ClaimNoise, noise_along
from fastgrad.problem.parameters import Parameters
from fastgrad.problem.working_copy import WorkingCopy

X = np.linspace(0.3, 2.7, 400)


def noise_of(gradient, params=X):
    """The noise of a gradient function, measured."""
    working = WorkingCopy(Parameters(params))
    found = ClaimNoise(lambda: Parameters(params).match(gradient(working.structure), "gradient"), working)
    found.measure()
    return found, working


def at_all(found):
    """The noise at all coordinates."""
    return found.at(np.arange(found.parameters.size))


def single(x):
    """A gradient that is computed in float32 inside."""
    return np.cos(x.astype(np.float32)).astype(np.float64)


class TestMeasured:
    def test_of_float64(self):
        """A float64 gradient is found to have noise of about one rounding, by seven calls."""
        found, _ = noise_of(np.cos)
        assert found.calls == POINTS
        assert 1e-17 < np.median(at_all(found)) < 4e-16
        assert at_all(found).max() < 2e-15

    def test_of_float32_inside(self):
        """A gradient that computes in float32 inside has its noise, seen by wider moves."""
        found, _ = noise_of(single)
        assert found.calls == 2 * POINTS
        assert 5e-9 < np.median(at_all(found)) < 1e-7

    def test_of_float32_parameters(self):
        """Parameters in float32 are moved by several of their own roundings."""
        found, _ = noise_of(np.cos, X.astype(np.float32))
        assert 5e-9 < np.median(at_all(found)) < 1e-6

    @pytest.mark.parametrize("scatter", [1e-12, 1e-8, 1e-4])
    def test_scatter(self, scatter):
        """Scatter of any size is found to within a factor of four, and curvature is no scatter."""
        rng = np.random.default_rng(0)
        found, _ = noise_of(lambda x: np.cos(x) + scatter * rng.normal(size=x.shape))
        assert scatter / 4 < np.median(at_all(found)) < 4 * scatter

    def test_each_entry_has_its_own(self):
        """An entry that is noisy does not make another one so."""
        rng = np.random.default_rng(0)
        found, _ = noise_of(lambda x: np.cos(x) + (np.arange(400) == 7) * 1e-6 * rng.normal())
        assert found.at(np.array([7]))[0] > 1e-7
        assert np.delete(at_all(found), 7).max() < 2e-15

    @pytest.mark.parametrize("scale", [1e-9, 1e9])
    def test_parameters_of_any_size(self, scale):
        """Moves are shares of each parameter, so that noise in any unit is that of rounding."""
        found, _ = noise_of(lambda x: np.cos(x / scale) / scale, scale * X)
        assert np.median(at_all(found)) * scale < 1e-15

    def test_zeros_are_moved_too(self):
        """Parameters that are zero are moved by a share of the others, or of one."""
        found, _ = noise_of(lambda x: np.cos(x) + 1e-6 * np.sin(1e25 * x), np.zeros(5))
        assert (at_all(found) > 1e-8).all()

    def test_blocks(self):
        """Coordinates are looked up by flat index across blocks."""
        rng = np.random.default_rng(0)
        params = {"W": X[:6].reshape(2, 3), "b": X[:4]}
        found, _ = noise_of(
            lambda p: {"W": np.cos(p["W"]), "b": np.cos(p["b"]) + 1e-6 * rng.normal(size=4)}, params
        )
        assert (found.at(np.array([5, 6, 9])) > 1e-8).tolist() == [False, True, True]


class TestOnce:
    def test_not_before_it_is_asked(self):
        """Nothing is called before the noise is asked for, nor when it is asked for again."""
        working = WorkingCopy(Parameters(X))
        found = ClaimNoise(lambda: [np.cos(working.flat_leaves[0])], working)
        assert (found.is_measured, found.calls, found.at(np.arange(3))) == (False, 0, None)
        for _ in range(2):
            found.measure()
            assert (found.is_measured, found.calls) == (True, POINTS)

    def test_parameters_are_put_back(self):
        """The working copy is where the parameters are afterwards, and the user's are untouched."""
        params = X.copy()
        _, working = noise_of(np.cos, params)
        assert working.first_change() is None
        np.testing.assert_array_equal(params, X)

    def test_outside_the_domain(self):
        """Where the gradient cannot be had at a point nothing is known, and nothing is left moved."""

        def ends(x):
            if (x != X).any():
                raise ValueError("no farther")
            return np.cos(x)

        found, working = noise_of(ends)
        assert found.is_measured
        assert found.at(np.arange(3)) is None
        assert working.first_change() is None

    def test_not_of_too_many(self, monkeypatch):
        """Of more parameters than seven gradients fit in memory the noise is not measured."""
        monkeypatch.setattr(claim_noise, "LARGEST", 399)
        found, _ = noise_of(np.cos)
        assert (found.calls, found.at(np.arange(3))) == (0, None)


class TestAlong:
    @given(st.lists(st.floats(-9, 9), min_size=3, max_size=3), st.integers(-300, 300))
    def test_none_for_a_parabola(self, coefficients, exponent):
        """Slope and curvature of a gradient leave nothing but rounding, in any unit."""
        k, c = np.arange(7.0) - 3, 2.0**exponent
        table = c * np.polyval(coefficients, k)[:, None]
        assert noise_along(table)[0] <= 1e-14 * np.abs(table).max()

    def test_of_white_noise(self):
        """Of white noise it is the standard deviation or a little more: the larger of two levels counts."""
        table = np.random.default_rng(0).normal(size=(7, 20_000))
        found = noise_along(table)
        assert 0.8 < np.median(found) < 1.3
        assert (found > 0.1).mean() > 0.99

    def test_not_finite(self):
        """An entry that is not finite at some point has no finite noise, and warns nobody."""
        table = np.ones((7, 3))
        table[2, 1], table[3, 2] = np.nan, np.inf
        found = noise_along(table)
        assert found[0] == 0
        assert not (found[1:] > 0).any() or not np.isfinite(found[1:]).all()


LINEAR = {
    "absolute errors": (lambda z, s: float(np.abs(z - 3 * s).sum()), lambda z, s: np.sign(z - 3 * s)),
    "hinge": (lambda z, s: float(np.maximum(0, 1 - s * z).sum()), lambda z, s: -s * (s * z < 1)),
    "ReLU": (lambda z, s: float(np.maximum(z, 0) @ s), lambda z, s: s * (z > 0)),
}
"""Costs that are linear between kinks, of z = X w and signs s, and their derivative by z."""


class TestEndToEnd:
    W = np.random.default_rng(0).normal(size=(40, 300))

    def cost(self, x):
        """A cost whose derivatives are sums of many terms that cancel."""
        return float(np.sum(np.tanh(self.W @ x)))

    def gradient(self, x, dtype):
        """Its gradient, computed in some precision."""
        W = self.W.astype(dtype)
        return ((1 - np.tanh(W @ x.astype(dtype)) ** 2) @ W).astype(np.float64)

    def test_a_gradient_in_float32_agrees(self):
        """A right gradient that is computed in float32 agrees with a float64 cost."""
        x = np.linspace(-0.3, 0.3, 300)
        report = fastgrad.check_gradient(self.cost, lambda x: self.gradient(x, np.float32), x)
        assert report.verdict == "agree"

    def test_its_twin_does_not(self):
        """The twin that is off by a hundredth of a small entry is wrong at that entry."""
        x = np.linspace(-0.3, 0.3, 300)
        at = int(np.argmin(np.abs(np.abs(self.gradient(x, np.float64)) - 0.5)))

        def wrong(x):
            g = self.gradient(x, np.float32)
            g[at] *= 1.01
            return g

        report = fastgrad.check_gradient(self.cost, wrong, x)
        assert [f.flat_index for f in report.wrong] == [at]

    @pytest.mark.parametrize("factor", [1.0, 1.001, 1.009, 1.02])
    def test_kinks_within_a_wide_move_are_no_rounding(self, factor):
        """A gradient that is constant between kinks jumps across them, and is allowed nothing for that."""
        rng = np.random.default_rng(0)
        kinks = 1 + rng.uniform(2.5e-6, 4e-6, 21) * rng.choice([-1, 1], 21)

        def cost(x):
            return float(1e3 * (x[0] - 1) + np.sum(np.abs(x[1] - kinks) - np.abs(1 - kinks)))

        def claimed(x):
            return np.array([1e3, factor * np.sum(np.sign(x[1] - kinks))])

        report = fastgrad.check_gradient(cost, claimed, np.ones(2))
        assert [f.flat_index for f in report.wrong] == ([] if factor == 1 else [1])
        assert not report.undecided

    @pytest.mark.parametrize(("dtype", "count"), [(np.float64, 2000), (np.float32, 200)])
    @pytest.mark.parametrize("name", LINEAR)
    def test_constant_between_kinks(self, name, dtype, count):
        """A gradient that is constant between kinks is allowed no jump of it, whatever it is.

        In float32 its rounding cannot be seen by moving it. It is right, and 1.5 of a small entry is not.
        """
        X = np.random.default_rng(3).normal(size=(count, 3)) * 10.0 ** np.array([-1.7, 0.4, 0.9])
        s = np.random.default_rng(4).choice([-1.0, 1.0], count)
        cost, signs = LINEAR[name]

        def gradient(w):
            return (X.T.astype(dtype) @ signs(X @ w, s).astype(dtype)).astype(np.float64)

        for seed in range(12):
            w = np.random.default_rng(seed).normal(size=3)
            off = np.where(np.arange(3) == np.argmin(np.abs(gradient(w) * w)), 1.5, 1.0)
            right = fastgrad.check_gradient(lambda w: cost(X @ w, s), gradient, w)
            wrong = fastgrad.check_gradient(lambda w: cost(X @ w, s), lambda w, off=off: gradient(w) * off, w)
            assert (right.verdict, wrong.verdict) == ("agree", "disagree")

    @pytest.mark.parametrize("seed", [5, 15, 39, 55])
    def test_a_small_entry_of_absolute_errors(self, seed):
        """Features of many sizes: the smallest effect is off by a tenth, less than a jump across a kink."""
        rng = np.random.default_rng(seed)
        count, size = int(rng.choice([50, 300, 2000])), int(rng.choice([3, 10, 40]))
        X = rng.normal(size=(count, size)) * 10.0 ** rng.uniform(-2, 1, size)
        w = rng.normal(size=size)
        y = X @ w + rng.normal(size=count)
        w = w + 0.3 * rng.normal(size=size)
        at = int(np.argmin(np.abs(w * (X.T @ np.sign(X @ w - y)))))

        def claimed(w):
            return X.T @ np.sign(X @ w - y) * np.where(np.arange(size) == at, 1.1, 1.0)

        report = fastgrad.check_gradient(lambda w: float(np.abs(X @ w - y).sum()), claimed, w)
        assert [f.flat_index for f in report.wrong] == [at]


class TestUnseen:
    def test_no_jump_is_rounding_where_nothing_moves(self):
        """Jumps of a gradient that is constant otherwise are kinks, however small they are."""
        kinks = 1 + 1e-6 * np.array([-2.2, -0.9, 0.8, 1.9])
        found, _ = noise_of(lambda x: 5 + 1e-3 * np.sign(x[:, None] - kinks).sum(1), np.ones(4) + 1e-9)
        assert at_all(found).tolist() == [0] * 4

    def test_of_numbers_of_float32(self):
        """What does not move, and consists of numbers of float32, has the rounding of values."""
        g = np.array([1.1, 1e-3, -2.3, 0.7]).astype(np.float32).astype(np.float64)
        found, _ = noise_of(lambda x: g.copy(), np.ones(4))
        assert (at_all(found) > 1e-8).all()
        found, _ = noise_of(lambda x: g.copy() * np.array([1, 0, 1, 1]), np.ones(4))
        assert at_all(found)[1] == 0  # nothing was rounded to a zero

    @pytest.mark.parametrize("count", [3, 2000, 60_000])
    def test_of_such_numbers_over_a_count(self, count):
        """A sum in float32 may be divided by a count in float64; other numbers of float64 are none."""
        g = np.array([1.1, 1e-3, -2.3, 0.7]).astype(np.float32).astype(np.float64) / count
        found, _ = noise_of(lambda x: g.copy(), np.ones(4))
        assert (at_all(found) > 1e-8 / count).all()
        for other in (g * np.pi, np.array([0.1, 0.3, 0.7]), np.array([np.sqrt(2)]), np.array([np.nan])):
            found, _ = noise_of(lambda x, other=other: other.copy(), np.ones(len(other)))
            assert not at_all(found).any()

    def test_each_block_for_itself(self):
        """A block in float64 does not tell of the rounding of another one."""
        g = np.array([1.1, 1e-3, -2.3, 0.7]).astype(np.float32).astype(np.float64)
        params = {"a": np.ones(4), "b": np.ones(1)}
        found, _ = noise_of(lambda p: {"a": g.copy(), "b": np.array([0.1])}, params)
        assert (at_all(found)[:4] > 1e-8).all()
        assert at_all(found)[4] == 0

    def test_zeros_are_moved_by_their_own_effect(self):
        """A zero in another unit is moved by what is claimed of it, so that no kink is met."""
        met = []

        def gradient(x):
            met.append(float(np.abs(x[2])))
            return np.array([1.0, -2.0, 1e8])

        noise_of(gradient, np.array([0.5, 0.3, 0.0]))
        assert 0 < max(met) < 1e-8 * 2.0**-10
