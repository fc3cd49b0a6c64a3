"""Some coordinates moved together: values are J(x + t v) - J(x) - d . (t v), and the parameters stay."""

from __future__ import annotations

import math
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from problems import layered, layered_problem, sphere

from fastgrad.engines.joint import JointEngine, Move
from fastgrad.execution.evaluate import evaluate
from fastgrad.execution.run import Run
from fastgrad.problem.parameters import Parameters

T = np.array([[-1.0, -0.25, 0.5, 1.0]])


def engine_of(cost, params, args=(), **options):
    """The engine of a cost."""
    return JointEngine(cost, Parameters(params), args, float(cost(params, *args)), **options)


def of_network(dtype=np.float64):
    """The engine of a network with nested parameters, its parameters and data."""
    problem = layered_problem(dtype=dtype)
    return engine_of(problem.cost, problem.params, problem.args), problem.args


def move_of(indices, seed=0, size=1e-2):
    """A move of some coordinates, with made-up slopes."""
    rng = np.random.default_rng(seed)
    return Move(np.array(indices), size * rng.normal(size=len(indices)), rng.normal(size=len(indices)))


def said_plainly(engine, move, cost, t, args=()):
    """J(x + t v) - J(x) - d . (t v) as one would write it."""
    moved, rise = [], 0.0
    for block, x in zip(engine.parameters.blocks, engine.parameters.leaves, strict=True):
        v, d = np.zeros((2, block.size))
        here = (move.indices >= block.start) & (move.indices < block.stop)
        v[move.indices[here] - block.start], d[move.indices[here] - block.start] = (
            move.by[here],
            move.slopes[here],
        )
        to = (x + t * v).astype(x.dtype)
        rise += float(d @ (to.astype(np.float64) - x))
        moved.append(to)
    return float(cost(engine.parameters.build_arrays(moved), *args)) - engine.tangent.cost - rise


def is_at_rest(engine):
    """Whether its private copy is where the parameters are."""
    return engine.working.first_change() is None and engine.working.first_rebound() is None


class TestValues:
    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    @pytest.mark.parametrize("indices", [[0], [3, 19, 20], [24, 25, 39], list(range(40))])
    def test_are_cost_less_slopes(self, dtype, indices):
        """Values are those written plainly, for one coordinate, some of several blocks, and all."""
        engine, args = of_network(dtype)
        move = move_of(indices)
        found = engine.values(engine.take(move), T)[0]
        plainly = [said_plainly(engine, move, layered, float(t), args) for t in T[0]]
        scale = float(np.finfo(dtype).eps) * abs(engine.tangent.cost)
        np.testing.assert_allclose(found, plainly, rtol=1e-9, atol=8 * scale)
        other = engine.values(engine.take(move_of(indices, seed=1)), T)[0]
        assert not np.allclose(other, plainly, rtol=1e-3, atol=8 * scale)

    @given(st.lists(st.floats(-2, 2), min_size=4, max_size=4), st.lists(st.integers(0, 3), unique=True))
    @settings(max_examples=30)
    def test_nothing_is_left_of_a_linear_cost(self, slopes, indices):
        """Of a linear cost whose slopes were found nothing is left, whatever is moved and how far."""
        a, x = np.array(slopes), np.array([0.1, -3.0, 1e3, 1e-3])
        engine = engine_of(lambda p: float(a @ p), x)
        at = np.sort(np.array(indices, dtype=np.intp))
        found = engine.values(engine.take(Move(at, x[at] / 7, a[at])), T)
        assert np.abs(found).max() <= 1e-12 * 1e3

    def test_what_is_left_is_the_error_of_the_slopes(self):
        """For a quadratic the odd part is exactly the error of the slopes along the move."""
        x, e = np.linspace(-1, 1, 9), np.where(np.arange(9) == 4, 0.5, 0.0)
        at, by = np.arange(1, 7), np.array([1.0, -0.5, 2.0, 0.25, -1.0, 1.5])
        engine = engine_of(sphere, x)
        f = engine.values(engine.take(Move(at, by, 2 * x[at] - e[at])), np.array([[-1.0, 1.0]]))[0]
        assert (f[1] - f[0]) / 2 == pytest.approx(float(e[at] @ by), abs=1e-14)

    def test_rounding_of_the_parameters_does_not_count(self):
        """Of a float32 linear cost with the right slopes values are zero, though x + t v is rounded."""
        x = np.full(50, 1000.0, dtype=np.float32)
        engine = engine_of(lambda p: float(np.sum(p.astype(np.float64))), x)
        found = engine.values(engine.take(Move(np.arange(50), np.full(50, 1e-3), np.ones(50))), T)
        assert np.abs(found).max() < 1e-9

    def test_several_moves(self):
        """Each row is that of its own move, in the order in which they are asked for."""
        engine, _ = of_network()
        one, other = move_of([1, 2]), move_of([30])
        numbers = engine.take(one, other)
        assert numbers.tolist() == [0, 1]
        both = engine.values(numbers[::-1], np.tile(T, (2, 1)))
        np.testing.assert_array_equal(both[1], engine.values(engine.take(one), T)[0])
        np.testing.assert_array_equal(both[0], engine.values(engine.take(other), T)[0])

    def test_a_vectorized_cost(self):
        """A cost that takes a batch gets batches of one point."""
        x = np.linspace(0.5, 1.5, 4)
        plain = engine_of(lambda p: float(np.sum(p**3)), x)
        batched = JointEngine(
            lambda b: np.sum(b**3, axis=1), Parameters(x), (), plain.tangent.cost, vectorized=True
        )
        move = move_of([0, 2])
        np.testing.assert_array_equal(
            batched.values(batched.take(move), T), plain.values(plain.take(move), T)
        )


class TestParametersStay:
    def test_at_rest(self):
        """The private copy is where the parameters are after each call, and the user's are untouched."""
        engine, _ = of_network()
        before = [leaf.copy() for leaf in engine.parameters.leaves]
        engine.values(engine.take(move_of([0, 7, 33])), T)
        assert is_at_rest(engine)
        for mine, leaf in zip(before, engine.parameters.leaves, strict=True):
            np.testing.assert_array_equal(mine, leaf)
        engine._displace(move_of([7]), 1.0)  # the twin: it does leave its place
        assert not is_at_rest(engine)

    def test_after_an_exception(self):
        """What the cost raises reaches the user, and the private copy is put back."""

        def failing(x):
            if x[0] > 1.001:
                raise RuntimeError("no such luck")
            return float(np.sum(x))

        engine = engine_of(failing, np.ones(3))
        with pytest.raises(RuntimeError, match="no such luck"):
            engine.values(engine.take(Move(np.arange(3), np.ones(3), np.ones(3))), T)
        assert is_at_rest(engine)

    def test_outside_the_domain(self):
        """A domain error gives NaN at that point only, and says what was raised."""
        engine = engine_of(lambda x: math.log(x[0]) + float(x[1]), np.array([0.5, 1.0]))
        f = engine.values(engine.take(Move(np.arange(2), np.ones(2), np.array([2.0, 1.0]))), T)[0]
        assert np.isnan(f).tolist() == [True, False, False, False]
        assert engine.quoted.startswith("ValueError")
        assert is_at_rest(engine)


class TestTwins:
    def test_give_the_same_values(self):
        """A twin for a thread and one that was pickled give the same values bit for bit."""
        engine, _ = of_network()
        numbers = engine.take(move_of([0, 5]), move_of([21, 22], seed=2))
        t = np.tile(T, (2, 1))
        expected = engine.values(numbers, t)
        for twin in (engine.for_worker(), pickle.loads(pickle.dumps(engine))):
            np.testing.assert_array_equal(twin.values(numbers, t), expected)

    @pytest.mark.parametrize("workers", ["threads", "processes"])
    def test_workers_do_not_change_values(self, workers):
        """Two workers give what one gives, bit for bit, in threads and in processes."""
        problem = layered_problem()
        engine = engine_of(problem.cost, problem.params, problem.args, workers=workers)
        numbers = engine.take(*(move_of([k, k + 9], seed=k) for k in range(6)))
        t = np.tile(T, (6, 1))
        one = evaluate(engine, numbers, t, Run(n_jobs=1), seconds=1.0)
        two = evaluate(engine, numbers, t, Run(n_jobs=2), seconds=1.0)
        np.testing.assert_array_equal(one.values, two.values)
        assert (one.n_jobs, two.n_jobs) == (1, 2)
