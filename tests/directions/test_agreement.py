"""Random directions through found slopes: what does not add up is found, and what does is believed."""

from __future__ import annotations

import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastgrad.directions.agreement import DIRECTIONS, DIRECTIONS_OF_MANY, FEW, MANY, Directions, Found
from fastgrad.engines.joint import JointEngine
from fastgrad.problem.parameters import Parameters

SIGMA, Z = 1e-16, 5.0

STEP, BOUND = 2.0**-10, 2e-7
"""The steps of differences, and a bound that holds their truncation."""


def waves(x):
    """A smooth cost."""
    return float(np.sum(np.sin(x)))


def directions_of(cost, x, slopes, bounds=BOUND, steps=STEP, seed=0, sigma=None, most=10**9):
    """Directions through some slopes of a cost, and a list that grows with each evaluation."""
    m = len(x)
    engine = JointEngine(cost, Parameters(x), (), float(cost(x)))
    calls = []

    def evaluate(indices, offsets):
        calls.extend(offsets.ravel().tolist())
        return engine.values(indices, offsets)

    found = Found(
        np.arange(m), np.asarray(slopes, dtype=float), np.broadcast_to(bounds, m).astype(float),
        np.broadcast_to(steps, m).astype(float), 16 * np.spacing(np.abs(x)),
    )  # fmt: skip
    sigma = max(SIGMA, 0.3 * np.spacing(abs(cost(x)) + m)) if sigma is None else sigma
    allowed = lambda count: len(calls) + count <= most  # noqa: E731
    return Directions(engine, evaluate, found, sigma, Z, seed, allowed), calls


def heard(*args, **known):
    """The agreement of such directions."""
    return directions_of(*args, **known)[0].agreement()


X = np.linspace(0.3, 2.7, 40)


class TestAgreement:
    @given(st.integers(0, 10**6), st.integers(1, 30))
    @settings(max_examples=30)
    def test_right_slopes_agree(self, seed, m):
        """Right slopes of a smooth cost agree along every direction, whatever the seed."""
        found = heard(waves, X[:m], np.cos(X[:m]), seed=seed)
        assert found.agrees
        assert found.narrow == 6
        assert (found.missed < 1e-2).all()

    @given(st.integers(0, 10**6), st.integers(0, 39), st.floats(1e-3, 10), st.booleans())
    @settings(max_examples=60)
    def test_one_wrong_slope_never_agrees(self, seed, at, error, down):
        """One slope that is off by more than is known is found whatever the signs, and led to."""
        slopes = np.cos(X) - np.where(np.arange(40) == at, error * (-1) ** down, 0)
        found = heard(waves, X, slopes, seed=seed)
        assert not found.agrees
        assert at in found.doubtful
        assert len(found.doubtful) <= FEW
        assert found.off[found.doubtful == at][0] == pytest.approx(error, rel=0.2)

    def test_slopes_that_cancel_are_found_by_most_directions(self):
        """Two errors that cancel where their signs differ pass all directions seldom, and 2^-6 at most."""
        passed = 0
        for seed in range(400):
            slopes = np.cos(X)
            slopes[[3, 30]] += 0.5, -0.5
            passed += heard(waves, X, slopes, seed=seed).agrees
        assert passed <= 400 * 2.0**-6 + 4.5 * np.sqrt(400 * 2.0**-6)

    @given(st.integers(0, 10**6), st.integers(0, 39))
    @settings(max_examples=30)
    def test_missed_is_a_promise(self, seed, at):
        """An error of one slope that is larger than what they miss would have been found."""
        missed = heard(waves, X, np.cos(X), seed=seed).missed
        slopes = np.cos(X) + np.where(np.arange(40) == at, 1.01 * missed, 0)
        assert not heard(waves, X, slopes, seed=seed).agrees

    @pytest.mark.parametrize("width", [1e-6, 1e-8])
    def test_a_feature_narrower_than_the_steps(self, width):
        """A feature that differences stepped over shows along directions far closer by."""

        def cost(x):
            return waves(x) + width * float(np.tanh((x[7] - X[7]) / width))

        found = heard(cost, X, np.cos(X))
        assert 7 in found.doubtful

    def test_noise_is_no_disagreement(self):
        """Of 200 checks of right slopes in noise as it was measured none is doubted."""
        scatter = 1e-8

        def cost(x):
            return waves(x) + scatter * (zlib.crc32(x.tobytes()) / 2**32 - 0.5)

        for seed in range(200):
            assert heard(cost, X, np.cos(X), bounds=1e-4, seed=seed, sigma=0.3 * scatter).agrees

    def test_bounds_are_allowed(self):
        """Slopes that are off by half of their bounds agree: that is what is known of them."""
        rng = np.random.default_rng(0)
        slopes = np.cos(X) + rng.uniform(-0.5, 0.5, 40) * 1e-3
        for seed in range(20):
            assert heard(waves, X, slopes, bounds=1e-3, seed=seed).agrees

    def test_curvature_along_a_direction_is_no_error(self):
        """A cost that bends along many coordinates together far more than along each is not doubted."""
        cost = lambda x: float(np.exp(np.sum(x - X)))  # noqa: E731
        found = heard(cost, X, np.ones(40), bounds=2.7e-3, steps=2.0**-3)
        assert found.agrees


class TestHowMany:
    def test_of_a_small_check(self):
        """Eight directions of two evaluations each, three in four of them narrow."""
        directions, calls = directions_of(waves, X, np.cos(X))
        assert directions.agreement().narrow == 6
        assert len(calls) == 2 * DIRECTIONS

    def test_of_many_coordinates(self):
        """From 512 coordinates on there are 20."""
        x = np.linspace(0.3, 2.7, MANY)
        directions, calls = directions_of(waves, x, np.cos(x))
        assert directions.agreement().agrees
        assert len(calls) == 2 * DIRECTIONS_OF_MANY

    def test_no_more_than_there_is_budget_for(self):
        """Where the budget ends nothing more is evaluated, and what was made counts."""
        directions, calls = directions_of(waves, X, np.cos(X), most=7)
        found = directions.agreement()
        assert found.agrees
        assert len(calls) <= 7
        assert found.narrow < 4

    def test_without_any_nothing_is_known(self):
        """Without a single direction any error may be missed."""
        found = heard(waves, X, np.cos(X), most=1)
        assert (found.narrow, found.agrees) == (0, True)
        assert np.isinf(found.missed).all()

    def test_begun_again_earlier_ones_do_not_count(self):
        """After something was measured anew all directions are made again, with other signs."""
        directions, calls = directions_of(waves, X, np.cos(X))
        first = directions.agreement()
        directions.begin(directions.found)
        second = directions.agreement()
        assert (first.narrow, second.narrow) == (6, 6)
        assert len(calls) == 4 * DIRECTIONS
        assert not np.array_equal(first.missed, second.missed)

    def test_outside_the_domain(self):
        """A direction along which the cost has no value says nothing, and is not counted."""

        def cost(x):
            return waves(x) if (x <= X).all() or (x >= X).all() else np.nan

        found = heard(cost, X, np.cos(X))
        assert found.agrees
        assert found.narrow == 0
        assert np.isinf(found.missed).all()


class TestUnits:
    @given(st.lists(st.integers(-40, 40), min_size=5, max_size=5), st.integers(-40, 40))
    @settings(max_examples=30)
    def test_of_parameters_and_cost(self, exponents, of_cost):
        """Parameters and cost in other units are heard alike, and what is missed is in these units."""
        x, unit, c = X[:5], 2.0 ** np.array(exponents), 2.0**of_cost
        one = heard(waves, x, np.cos(x), sigma=SIGMA)
        other = heard(
            lambda p: c * waves(p / unit), x * unit, c * np.cos(x) / unit,
            bounds=BOUND * c / unit, steps=unit * STEP, sigma=c * SIGMA,
        )  # fmt: skip
        assert (one.narrow, one.agrees) == (other.narrow, other.agrees)
        assert other.missed * unit / c == pytest.approx(one.missed, rel=0.5)

    def test_the_same_seed_the_same_directions(self):
        """A check can be had again, and another seed asks other directions."""
        missed = [heard(waves, X, np.cos(X), seed=seed).missed for seed in (1, 1, 2)]
        np.testing.assert_array_equal(missed[0], missed[1])
        assert (missed[0] != missed[2]).any()
