"""Probes: the slope of cost less claim along a direction is v . e, within its bound, smooth or not."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from problems import layered, layered_gradient

from fastgrad.directions.certificate import certified_size
from fastgrad.directions.probes import CLOSER, SET_UP, Prober, Slope, finite_rms
from fastgrad.engines.directional import Direction, DirectionalEngine, Tangent, component_at
from fastgrad.execution.evaluator import Evaluator
from fastgrad.execution.run import Run
from fastgrad.problem.parameters import Parameters
from fastgrad.problem.regions import Region

COUNT = 40


class CountingProber(Prober):
    """Counts the directions that are measured by a ladder of steps."""

    ladders = 0

    def _ladder(self, directions):
        self.ladders += len(directions)
        return super()._ladder(directions)


def prober_of(cost, claim, params, args=(), seed=0):
    """A prober of a cost and a claim, set up over all parameters, and the part that these are."""
    parameters = Parameters(params)
    at = float(cost(params, *args))
    engine = DirectionalEngine(cost, parameters, args, Tangent(at, parameters.match(claim, "claim")))
    engine.baseline()
    prober = CountingProber(engine, Evaluator(engine, 1e-5, Run(n_jobs=1)), 0.0, at, seed)
    whole = Region.whole(parameters)
    prober.set_up(whole)
    return prober, whole


def slopes_of(prober, part, count=COUNT):
    """The slopes of so many fresh directions."""
    return prober.measure([prober.fresh(part) for _ in range(count)])


def along(engine, direction, errors):
    """v . e, from each component of the direction by itself; errors are by flat index."""
    moved = {direction.region.flat_index(k) for k in range(direction.region.size)} - {*direction.without}
    return sum(component_at(engine, direction, i) * e for i, e in errors.items() if i in moved)


def quadratic(p):
    """Of blocks of different sizes."""
    return 0.5 * float(np.sum(p["a"] ** 2)) + float(np.sum(3 * p["b"] ** 2))


def quadratic_with(errors, seed=0):
    """Parameters of the quadratic, and its gradient with errors by flat index: true less claimed."""
    rng = np.random.default_rng(seed)
    params = {"a": rng.normal(size=(20, 15)), "b": 1e-3 * rng.normal(size=50)}
    g = {"a": params["a"].copy(), "b": 6 * params["b"]}
    for i, e in errors.items():
        g["a" if i < 300 else "b"].reshape(-1)[i if i < 300 else i - 300] -= e
    return params, g


def relu_cost(p, X, Y):
    """Half the squared error of a network with one hidden layer of relu."""
    return 0.5 * float(np.mean((np.maximum(X @ p["W"] + p["b"], 0) @ p["V"] - Y) ** 2))


def relu_gradient(p, X, Y):
    """Its gradient."""
    z = X @ p["W"] + p["b"]
    a = np.maximum(z, 0)
    d = (a @ p["V"] - Y) / Y.size
    dz = (d @ p["V"].T) * (z > 0)
    return {"W": X.T @ dz, "b": dz.sum(axis=0), "V": a.T @ d}


def relu_problem(dtype=np.float64, hidden=60):
    """Parameters and data of the relu network: about a thousand kinks all around."""
    rng = np.random.default_rng(3)
    params = {
        "W": rng.normal(size=(20, hidden)).astype(dtype),
        "b": rng.normal(size=hidden).astype(dtype),
        "V": rng.normal(size=(hidden, 3)).astype(dtype),
    }
    return params, (rng.normal(size=(16, 20)).astype(dtype), rng.normal(size=(16, 3)).astype(dtype))


def smooth_problem(dtype=np.float64):
    """Parameters and data of a tanh network."""
    rng = np.random.default_rng(1)
    params = {
        "enc": {"W": rng.normal(size=(5, 4)).astype(dtype), "b": rng.normal(size=4).astype(dtype)},
        "out": [rng.normal(size=(4, 2)).astype(dtype)],
    }
    return params, (rng.normal(size=(6, 5)).astype(dtype), rng.normal(size=(6, 2)).astype(dtype))


COSTS = {
    "smooth": (layered, layered_gradient, smooth_problem(), 1e-6),
    "smooth, float32": (layered, layered_gradient, smooth_problem(np.float32), 0.3),
    "relu": (relu_cost, relu_gradient, relu_problem(), 1e-4),
    "relu, float32": (relu_cost, relu_gradient, relu_problem(np.float32), 3.0),
}
"""A cost, its gradient, parameters and data, and an error that each probe must see, in rms of a block."""


class TestMeasure:
    @pytest.mark.parametrize("errors", [{}, {7: 1e-3}, {7: 1e-3, 299: -2e-3, 310: 0.5}])
    def test_slope_is_v_dot_e(self, errors):
        """On a quadratic r is v . e within its bound, which is a small part of an error of a thousandth."""
        params, g = quadratic_with(errors)
        prober, whole = prober_of(quadratic, g, params)
        for slope in slopes_of(prober, whole):
            true = along(prober.engine, slope.direction, errors)
            assert abs(slope.r - true) <= slope.bound
            assert slope.bound < 1e-6
            assert slope.clean == (not errors)
            other = along(prober.engine, replace(slope.direction, seed=0), {7: 2e-3, **errors})
            assert abs(slope.r - other) > slope.bound

    @pytest.mark.parametrize("name", COSTS)
    def test_clean_where_the_gradient_is_right(self, name):
        """Of a right gradient every probe is clean; of one that is wrong in one place no probe is."""
        cost, gradient, (params, args), error = COSTS[name]
        g = gradient(params, *args)
        prober, whole = prober_of(cost, g, params, args)
        slopes = slopes_of(prober, whole)
        assert all(s.clean for s in slopes)
        assert all(np.isfinite(s.bound) for s in slopes)
        parameters = Parameters(params)
        wrong = [leaf.copy() for leaf in parameters.match(g, "g")]
        wrong[0][3] += error * finite_rms(wrong[0])
        prober, whole = prober_of(cost, parameters.build_arrays(wrong), params, args)
        slopes = slopes_of(prober, whole)
        size = prober.engine.sizes[0]
        assert not any(s.clean for s in slopes)
        true = {3: float(parameters.match(g, "g")[0][3]) - float(wrong[0][3])}
        for s in slopes:
            assert abs(s.r - along(prober.engine, s.direction, true)) <= s.bound
            assert s.room >= size / 2 * abs(true[3])

    def test_excluded_coordinates_do_not_take_part(self):
        """Without its wrong coordinate a claim is clean."""
        params, g = quadratic_with({7: 0.1})
        prober, whole = prober_of(quadratic, g, params)
        held = [prober.fresh(whole, np.array([7])) for _ in range(5)]
        assert all(s.clean for s in prober.measure(held))
        assert not any(s.clean for s in slopes_of(prober, whole, 5))

    def test_one_at_a_time_or_together(self):
        """Probes measured together give what each gives alone."""
        cost, gradient, (params, args), _ = COSTS["relu"]
        prober, whole = prober_of(cost, gradient(params, *args), params, args)
        several = [prober.fresh(whole) for _ in range(6)]
        together = prober.measure(several)
        alone = [prober.measure([v])[0] for v in several]
        assert [(s.r, s.bound, s.step) for s in together] == [(s.r, s.bound, s.step) for s in alone]
        assert len({s.r for s in together}) == 6

    def test_a_claim_that_is_not_finite(self):
        """A claimed NaN keeps its coordinate, and the others are probed as ever."""
        params, g = quadratic_with({7: 0.1})
        g["a"][0, 7] = np.nan
        prober, whole = prober_of(quadratic, g, params)
        assert all(s.clean for s in slopes_of(prober, whole, 5))
        g["a"][0, 8] += 0.1
        prober, whole = prober_of(quadratic, g, params)
        assert not any(s.clean for s in slopes_of(prober, whole, 5))

    def test_claims_in_float32_are_allowed_their_rounding(self):
        """The roundings of a float32 claim are within the bound; in a float64 claim the same are an error."""
        params, g = quadratic_with({})
        rounded = {name: block.astype(np.float32) for name, block in g.items()}
        prober, whole = prober_of(quadratic, rounded, params)
        assert all(s.clean for s in slopes_of(prober, whole, 10))
        widened = {name: block.astype(np.float64) for name, block in rounded.items()}
        prober, whole = prober_of(quadratic, widened, params)
        assert not all(s.clean for s in slopes_of(prober, whole, 10))


class TestKinks:
    @staticmethod
    def bent(distance):
        """A prober of |x_0 - c| beside a smooth cost, c in units of its step from where x_0 is."""
        params = np.linspace(0.5, 1.5, 30)

        def cost(x, at=-1.0):
            return float(np.sum(np.sin(x))) + abs(x[0] - at)

        prober, whole = prober_of(cost, np.cos(params) + np.eye(30)[0], params)
        at = params[0] + distance * prober.step * prober.engine.sizes[0]
        g = np.cos(params)
        g[0] += math.copysign(1.0, params[0] - at)
        engine = DirectionalEngine(cost, Parameters(params), (at,), Tangent(cost(params, at), [g]))
        engine.baseline()
        bent = CountingProber(
            engine, Evaluator(engine, 1e-5, Run(n_jobs=1)), prober.sigma, engine.tangent.cost, 0
        )
        bent.step = prober.step
        return bent, whole

    def test_far(self):
        """A kink beyond all six points is not noticed: the first look settles it."""
        prober, whole = self.bent(40.0)
        slopes = slopes_of(prober, whole)
        assert all(s.clean and s.step == prober.step for s in slopes)
        assert prober.ladders == 0

    def test_within_the_first_points(self):
        """A kink between the six points, but outside of six closer ones: these settle it."""
        prober, whole = self.bent(1.0)
        slopes = slopes_of(prober, whole)
        assert all(s.clean for s in slopes)
        assert {s.step for s in slopes} == {prober.step * CLOSER}
        assert prober.ladders == 0

    def test_closer_still(self):
        """A kink within the closer points as well: the ladder gets below it."""
        prober, whole = self.bent(CLOSER)
        slopes = slopes_of(prober, whole)
        assert prober.ladders == COUNT
        assert all(s.clean for s in slopes)
        assert all(s.step <= 2 * CLOSER * prober.step for s in slopes)  # components are 1/2 at least
        assert all(s.bound < 0.05 for s in slopes)

    def test_at_the_point(self):
        """Across a kink at the point itself the claim of one side is not clean: the search sees to it."""
        prober, whole = self.bent(0.0)
        slopes = slopes_of(prober, whole, 5)
        assert not any(s.clean for s in slopes)
        held = prober.measure([prober.fresh(whole, np.array([0]))])[0]
        assert held.clean
        assert held.bound < 1e-6

    def test_small_errors_are_not_lost_up_close(self):
        """An error of a few bounds is not passed over because six closer points are too noisy for it."""
        params, args = smooth_problem()
        g = layered_gradient(params, *args)
        prober, whole = prober_of(layered, g, params, args)
        bound = slopes_of(prober, whole, 1)[0].bound
        for times, noticed in ((10, True), (0.1, False)):
            g["enc"]["W"][1, 1] += times * bound / prober.engine.sizes[0]
            prober, whole = prober_of(layered, g, params, args)
            slopes = slopes_of(prober, whole, 10)
            assert [s.clean for s in slopes] == [not noticed] * 10
            assert all(s.bound < 2 * bound for s in slopes)
            g["enc"]["W"][1, 1] -= times * bound / prober.engine.sizes[0]


class TestQuick:
    def test_agrees_with_the_six_points(self):
        """Two points give the slope of the whole and of a half within its bound."""
        params, g = quadratic_with({7: 1e-3, 200: 2e-3})
        prober, whole = prober_of(quadratic, g, params)
        for slope in slopes_of(prober, whole, 10):
            for part in (whole, *whole.halves(), *whole.halves()[0].halves()):
                direction = replace(slope.direction, region=part)
                before = prober.evaluate.evaluations
                quick = prober.quick(direction, slope)
                assert prober.evaluate.evaluations == before + 2
                true = along(prober.engine, direction, {7: 1e-3, 200: 2e-3})
                assert abs(quick.r - true) <= quick.bound < 1e-5
                off = along(prober.engine, direction, {7: 1.1e-3, 200: 2.1e-3})
                assert abs(quick.r - off) > quick.bound or off == true

    def test_the_ruler_reads_the_place(self):
        """The ratio of the slopes with and without the ruler is the place of a lone wrong coordinate."""
        for place in (0, 7, 211, 299, 300, 349):
            params, g = quadratic_with({place: 1e-2})
            prober, whole = prober_of(quadratic, g, params)
            slope = slopes_of(prober, whole, 1)[0]
            against = prober.quick(replace(slope.direction, ruler=True), slope)
            read = (against.r / slope.r + 1) * whole.size / 2 - 0.5
            assert read == pytest.approx(place, abs=0.02)

    def test_outside_the_domain(self):
        """Where the cost has no value nothing is known: the slope has no bound, and is not an error."""

        def cost(x):
            return math.sqrt(x[0]) + float(x[1])

        prober, whole = prober_of(cost, np.array([0.5, 1.0]), np.ones(2))
        like = slopes_of(prober, whole, 1)[0]
        known = prober.quick(like.direction, like)
        assert np.isfinite(known.bound)
        lost = prober.quick(like.direction, replace(like, step=16.0))
        assert lost.bound == math.inf
        assert lost.clean


class TestFresh:
    def test_never_twice(self):
        """Fresh directions have seeds of their own, the same for the same seed of the check."""
        params, g = quadratic_with({})
        prober, whole = prober_of(quadratic, g, params, seed=5)
        seeds = [prober.fresh(whole).seed for _ in range(50)]
        assert len(set(seeds)) == 50
        again, _ = prober_of(quadratic, g, params, seed=5)
        assert [again.fresh(whole).seed for _ in range(50)] == seeds
        other, _ = prober_of(quadratic, g, params, seed=6)
        assert not {other.fresh(whole).seed for _ in range(50)} & set(seeds)
        assert prober.drawn == SET_UP + 50


class TestCertifiedSize:
    def test_is_twice_the_worst_room(self):
        """S is twice the largest |r| + bound, in units of the block's components."""
        direction = Direction(1, Region(()))
        slopes = [Slope(direction, r, b, 1.0, 0.0) for r, b in ((1e-3, 2e-3), (-2e-3, 2e-3), (0, 3e-3))]
        assert certified_size(slopes, 0.5) == pytest.approx(2 * 4e-3 / 0.5)
        assert [s.clean for s in slopes] == [True, True, True]
        assert not Slope(direction, 2.1e-3, 2e-3, 1.0, 0.0).clean

    def test_rms_of_a_claim_with_nan(self):
        """The typical size of a claim is that of its finite entries."""
        assert finite_rms(np.array([3.0, np.nan, 4.0, np.inf])) == pytest.approx(math.sqrt(12.5))
        assert finite_rms(np.array([3.0, 4.0])) == pytest.approx(math.sqrt(12.5))
