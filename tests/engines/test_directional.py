"""Costs along directions: what comes back is J(x + t v) - J(x) - g . (t v), and the parameters stay."""

from __future__ import annotations

import math
import pickle

import numpy as np
import pytest
from problems import layered, layered_gradient, sphere, sphere_gradient

from fastgrad.engines.directional import Direction, DirectionalEngine, Tangent, block_size, component_at
from fastgrad.engines.python import PythonEngine
from fastgrad.execution.evaluate import evaluate
from fastgrad.execution.run import Run
from fastgrad.kernels.directions import components
from fastgrad.problem.block import typical_size
from fastgrad.problem.parameters import Parameters
from fastgrad.problem.regions import Rectangle, Region

DISTANCES = np.array([-(2.0**-6), -(2.0**-12), 2.0**-12, 2.0**-6])


def network(dtype=np.float64, seed=0):
    """A small network with nested parameters, its data and its gradient."""
    rng = np.random.default_rng(seed)
    params = {
        "enc": {"W": rng.normal(size=(5, 4)).astype(dtype), "b": 1e-3 * rng.normal(size=4).astype(dtype)},
        "out": [100 * rng.normal(size=(4, 2)).astype(dtype)],
    }
    params["enc"]["b"] = params["enc"]["b"].astype(dtype)
    return params, (rng.normal(size=(6, 5)), rng.normal(size=(6, 2)))


def engine_of(cost, claim, params, args=(), **options):
    """The engine of a cost and a claim."""
    parameters = Parameters(params)
    at = float(cost(params, *args))
    return DirectionalEngine(cost, parameters, args, Tangent(at, parameters.match(claim, "claim")), **options)


def of_network(dtype=np.float64):
    """The engine of the network, and its parameters and data."""
    params, args = network(dtype)
    return engine_of(layered, layered_gradient(params, *args), params, args), params, args


def said_plainly(engine, direction, cost, t, args=()):
    """J(x + t v) - J(x) - g . (t v) as one would write it, from the whole direction."""
    parameters = engine.parameters
    inside = np.array([direction.region.flat_index(k) for k in range(direction.region.size)])
    v = np.zeros(parameters.size)
    v[inside] = components(direction.seed, inside)
    if direction.ruler:
        v[inside] *= 2 * (np.arange(len(inside)) + 0.5) / len(inside) - 1
    v[direction.without] = 0
    moved, rise = [], 0.0
    for block, x, g, size in zip(
        parameters.blocks, parameters.leaves, engine.tangent.gradient, engine.sizes, strict=True
    ):
        there = slice(block.start, block.stop)
        to = (x + t * size * v[there]).astype(x.dtype)
        by = to.astype(np.float64) - x.astype(np.float64)
        known = np.isfinite(g)
        to, by = np.where(known, to, x).astype(x.dtype), np.where(known, by, 0.0)
        rise += float(np.sum(np.nan_to_num(g.astype(np.float64), posinf=0, neginf=0) * by))
        moved.append(to)
    return float(cost(parameters.build_arrays(moved), *args)) - engine.tangent.cost - rise


def asked(engine, *directions, distances=DISTANCES):
    """The values of some directions."""
    numbers = engine.add(*directions)
    return engine.values(numbers, np.tile(distances, (len(numbers), 1)))


def is_at_rest(engine):
    """Whether its private copy is where the parameters are."""
    return engine.working.first_change() is None and engine.working.first_rebound() is None


class TestValues:
    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    @pytest.mark.parametrize("ruler", [False, True])
    def test_are_cost_less_claim(self, dtype, ruler):
        """Values are those written plainly, over the whole, over parts, with a ruler and coordinates held."""
        engine, _, args = of_network(dtype)
        whole = Region.whole(engine.parameters)
        left, right = whole.halves()
        some = Region((Rectangle(0, 0, 4, (1, 4), (1, 3)), *right.rectangles))
        held = np.array([0, 6, 21, 31])
        for part in (whole, left, right, some):
            for without in (np.empty(0, dtype=np.intp), held):
                direction = Direction(99, part, without, ruler)
                found = asked(engine, direction)[0]
                plainly = [said_plainly(engine, direction, layered, t, args) for t in DISTANCES]
                scale = float(np.finfo(dtype).eps) * abs(engine.tangent.cost)
                np.testing.assert_allclose(found, plainly, rtol=1e-9, atol=8 * scale)
                other = Direction(98, part, without, ruler)
                plainly = [said_plainly(engine, other, layered, t, args) for t in DISTANCES]
                assert not np.allclose(found, plainly, rtol=1e-3, atol=8 * scale)

    def test_derivative_is_the_error_along_the_direction(self):
        """The slope at 0 is v . (true - claimed): for a quadratic exactly the planted error."""
        x = np.random.default_rng(0).normal(size=300)
        e = np.zeros(300)
        e[[7, 200]] = 0.5, -0.25
        engine = engine_of(sphere, sphere_gradient(x) - e, x)
        direction = Direction(5, Region.whole(engine.parameters))
        f = asked(engine, direction)[0]
        v = components(5, np.arange(300)) * engine.sizes[0]
        slope = (f[3] - f[0]) / (DISTANCES[3] - DISTANCES[0])
        assert slope == pytest.approx(float(v @ e), abs=1e-10)
        right = engine_of(sphere, sphere_gradient(x), x)
        f = asked(right, direction)[0]
        assert f[3] - f[0] == pytest.approx(0, abs=1e-11)

    def test_rounding_of_the_parameters_does_not_count(self):
        """Of a float32 linear cost with the right claim values are zero, though x + t v is rounded."""
        x = np.full(200, 1000.0, dtype=np.float32)
        w = np.random.default_rng(0).normal(size=200)

        def linear(x):
            return math.fsum(w * x.astype(np.float64))

        engine = engine_of(linear, w, x)
        f = asked(engine, Direction(3, Region.whole(engine.parameters)), distances=np.array([-1e-6, 1e-6]))
        assert np.abs(f).max() < 1e-9
        v = components(3, np.arange(200)) * engine.sizes[0]
        unrounded = 1e-6 * float(w @ v)
        made = (x + 1e-6 * v).astype(np.float32).astype(np.float64) - x
        assert abs(float(w @ made) - unrounded) > 1e-5  # what would be taken for an error

    def test_excluded_coordinates_stand_still(self):
        """The cost never sees an excluded coordinate moved; all others are."""
        seen = []

        def watching(x):
            seen.append(x.copy())
            return float(np.sum(x**2))

        x = np.linspace(1, 2, 50)
        engine = engine_of(watching, 2 * x, x)
        seen.clear()
        held = np.array([0, 3, 49])
        asked(engine, Direction(1, Region.whole(engine.parameters), held))
        for moved in seen:
            assert np.flatnonzero(moved == x).tolist() == [0, 3, 49]

    def test_excluded_coordinates_outside_the_part(self):
        """Coordinates that are excluded but lie outside the part change nothing."""
        engine, _, _ = of_network()
        left, _ = Region.whole(engine.parameters).halves()
        plain = asked(engine, Direction(4, left))
        held = asked(engine, Direction(4, left, np.array([30, 31])))
        np.testing.assert_array_equal(plain, held)
        assert (asked(engine, Direction(4, left, np.array([2]))) != plain).any()

    @pytest.mark.parametrize("bad", [np.nan, np.inf])
    def test_a_claim_that_is_not_finite_stands_still(self, bad):
        """Where the claim is not finite its coordinate stands still, excluded or not: values are finite."""
        x = np.linspace(1, 2, 40)
        g = 2 * x
        g[[4, 9]] = bad
        engine = engine_of(sphere, g, x)
        whole = Region.whole(engine.parameters)
        plain = asked(engine, Direction(6, whole))
        assert np.isfinite(plain).all()
        held = asked(engine, Direction(6, whole, np.array([4])))
        np.testing.assert_allclose(held, plain, rtol=0, atol=1e-13)
        direction = Direction(6, whole, np.array([4, 11]))
        expected = [said_plainly(engine, direction, sphere, t) for t in DISTANCES]
        np.testing.assert_allclose(asked(engine, direction)[0], expected, atol=1e-13)

    def test_vectorized(self):
        """A cost of a batch is given one of a single point, in the user's structure."""
        params, args = network()
        g = layered_gradient(params, *args)

        def batched(p, X, T):
            hidden = np.tanh(X @ p["enc"]["W"] + p["enc"]["b"][:, None, :])
            return 0.5 * np.sum((hidden @ p["out"][0] - T) ** 2, axis=(1, 2))

        parameters = Parameters(params)
        at = float(layered(params, *args))
        engine = DirectionalEngine(
            batched, parameters, args, Tangent(at, parameters.match(g, "g")), vectorized=True
        )
        plain = engine_of(layered, g, params, args)
        direction = Direction(12, Region.whole(parameters))
        np.testing.assert_allclose(asked(engine, direction), asked(plain, direction), rtol=1e-9, atol=1e-9)
        assert engine.baseline() == pytest.approx(0, abs=1e-12 * at)
        with pytest.raises((TypeError, ValueError, IndexError)):
            asked(DirectionalEngine(layered, *plain_of(plain), vectorized=True), direction)

    def test_knows_the_precision_of_the_cost(self):
        """After a value it knows whether the cost comes in float32."""
        x = np.ones(4)
        engine = engine_of(lambda x: np.float32(np.sum(x)), np.ones(4), x)
        engine.baseline()
        assert engine.epsilon == np.finfo(np.float32).eps
        engine = engine_of(lambda x: np.sum(x), np.ones(4), x)
        engine.baseline()
        assert engine.epsilon == np.finfo(np.float64).eps

    def test_number_of_directions(self):
        """Rows follow the numbers that are asked for, in any order and repeated."""
        engine, _, _ = of_network()
        whole = Region.whole(engine.parameters)
        engine.add(Direction(1, whole), Direction(2, whole))
        t = np.tile(DISTANCES, (3, 1))
        f = engine.values(np.array([1, 0, 1]), t)
        np.testing.assert_array_equal(f[0], f[2])
        np.testing.assert_array_equal(f[1], asked(engine, Direction(1, whole))[0])
        assert (f[0] != f[1]).all()


def plain_of(engine):
    """What else an engine is made from."""
    return engine.parameters, engine.args, engine.tangent


class TestRestoring:
    def test_after_values(self):
        """The private copy is put back bit for bit, and the user's parameters are never written to."""
        engine, params, _ = of_network(np.float32)
        before = [leaf.copy() for leaf in engine.parameters.leaves]
        part = Region((Rectangle(0, 0, 4, (1, 4), (1, 3)),))
        asked(engine, Direction(1, Region.whole(engine.parameters)), Direction(2, part))
        assert is_at_rest(engine)
        for mine, leaf in zip(before, engine.parameters.leaves, strict=True):
            np.testing.assert_array_equal(mine, leaf)
        engine._move(Direction(1, part), 2.0**-6)  # the twin: it does leave its place
        assert not is_at_rest(engine)
        assert np.shares_memory(params["out"][0], engine.parameters.leaves[2])

    def test_after_an_exception(self):
        """What the cost raises reaches the user with a note, and the private copy is put back."""

        def failing(x):
            if x[0] > 1.001:
                raise RuntimeError("no such luck")
            return float(np.sum(x))

        x = np.ones(10)
        engine = engine_of(failing, np.ones(10), x)
        direction = Direction(1, Region.whole(engine.parameters))
        with pytest.raises(RuntimeError, match="no such luck") as caught:
            asked(engine, direction)
        assert "random direction" in caught.value.__notes__[0]
        assert is_at_rest(engine)
        assert np.isfinite(asked(engine, direction, distances=np.array([1e-9]))).all()

    def test_outside_the_domain(self):
        """A domain error gives NaN at that point only, and says what was raised."""

        def cost(x):
            return math.log(x[0]) + float(np.sum(x[1:]))

        x = np.array([2.0**-8, 1.0, 1.0])
        engine = engine_of(cost, np.array([2.0**8, 1, 1]), x)
        f = asked(engine, Direction(1, Region.whole(engine.parameters)))[0]
        assert np.isnan(f).sum() == 1
        assert np.isfinite(f[1:3]).all()
        assert engine.quoted.startswith("ValueError")
        assert is_at_rest(engine)
        held = asked(engine, Direction(1, Region.whole(engine.parameters), np.array([0])))
        assert np.isfinite(held).all()

    def test_a_cost_that_writes_is_refused(self):
        """A cost that writes into its parameters is noticed at the parameters."""

        def writing(x):
            x[1] += 1
            return float(np.sum(x))

        engine = DirectionalEngine(writing, Parameters(np.ones(3)), (), Tangent(3.0, [np.ones(3)]))
        with pytest.raises(ValueError, match="changes its parameters"):
            engine.baseline()


class TestTwins:
    def test_give_the_same_values(self):
        """A twin for a thread and one that was pickled give the same values bit for bit."""
        engine, _, _ = of_network()
        whole = Region.whole(engine.parameters)
        numbers = engine.add(Direction(1, whole), Direction(2, whole, np.array([5]), ruler=True))
        t = np.tile(DISTANCES, (2, 1))
        expected = engine.values(numbers, t)
        for twin in (engine.for_worker(), pickle.loads(pickle.dumps(engine))):
            assert twin._working is None
            np.testing.assert_array_equal(twin.values(numbers, t), expected)
            assert not any(
                np.shares_memory(a, b)
                for a, b in zip(twin.working.flat_leaves, engine.working.flat_leaves, strict=True)
            )
        assert (engine.for_worker().values(numbers[::-1], t) != expected).all()

    @pytest.mark.parametrize("workers", ["threads", "processes"])
    def test_workers_do_not_change_values(self, workers):
        """Two workers give what one gives, bit for bit, in threads and in processes."""
        params, args = network()
        g = layered_gradient(params, *args)
        engine = engine_of(layered, g, params, args, workers=workers)
        whole = Region.whole(engine.parameters)
        numbers = engine.add(*(Direction(k, whole) for k in range(8)))
        t = np.tile(DISTANCES, (8, 1))
        one = evaluate(engine, numbers, t, Run(n_jobs=1), seconds=1.0)
        two = evaluate(engine, numbers, t, Run(n_jobs=2), seconds=1.0)
        np.testing.assert_array_equal(one.values, two.values)
        assert (one.n_jobs, two.n_jobs) == (1, 2)
        assert len(np.unique(one.values)) == one.values.size


class TestBorrowed:
    def test_one_copy_for_both(self):
        """A borrowed copy is moved and put back: values are the same, the lender's too."""
        engine, _, args = of_network()
        lender = PythonEngine(layered, engine.parameters, args)
        direction = Direction(5, Region.whole(engine.parameters))
        alone = asked(engine, direction)
        before = lender.values(np.arange(3), np.full((3, 1), 0.5))
        engine.release()
        engine.borrow(lender)
        assert engine.working is lender.working
        assert np.array_equal(asked(engine, direction), alone)
        assert np.array_equal(lender.values(np.arange(3), np.full((3, 1), 0.5)), before)
        assert pickle.loads(pickle.dumps(engine)).working is not lender.working

    def test_not_that_of_other_parameters(self):
        """The copy of an engine of other parameters is left alone."""
        engine, params, args = of_network()
        other = PythonEngine(layered, Parameters(params), args)
        engine.borrow(other)
        assert engine.working is not other.working


class TestSizes:
    @pytest.mark.parametrize(
        ("block", "size"),
        [([1.0, 1.0], 1.0), ([3.0], 2.0), ([0.3, 0.3], 0.25), ([0.0, 0.0], 1.0), ([1e6], 2.0**19)],
    )
    def test_block_size(self, block, size):
        """A block's components have its typical size, rounded down to a power of two; 1 for zeros."""
        assert block_size(typical_size(np.array(block))) == size

    def test_component_at(self):
        """The component at a coordinate is how far it moves, per unit of distance."""
        engine, _, _ = of_network()
        direction = Direction(77, Region.whole(engine.parameters))
        engine._move(direction, 2.0**-3)
        for index in (0, 19, 20, 24, 31):
            number = int(engine.parameters.block_numbers(np.array([index]))[0])
            at = index - engine.parameters.blocks[number].start
            by = engine.working.flat_leaves[number][at] - engine.parameters.leaves[number][at]
            assert by * 8 == pytest.approx(component_at(engine, direction, index), rel=1e-9)
            assert by * 8 != pytest.approx(
                component_at(engine, Direction(78, direction.region), index), rel=1e-3
            )
