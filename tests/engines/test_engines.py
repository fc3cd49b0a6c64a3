"""Every engine answers the one question: the cost at theta + offsets[k, s] * e_indices[k]."""

from __future__ import annotations

import math
import pickle

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from problems import layered, layered_problem, waves, waves_batch, waves_loop

import fastgrad
from fastgrad.differences.stencils import CENTRAL, CENTRAL6, COMPLEX
from fastgrad.engines.batched import BATCH_BYTES, BATCH_ROWS, BatchedEngine
from fastgrad.engines.choose import choose_engine, is_numba_function
from fastgrad.engines.compiled import CompiledEngine
from fastgrad.engines.numbers import to_number
from fastgrad.engines.python import PythonEngine
from fastgrad.problem.parameters import Parameters

jitted_waves = numba.njit(waves_loop)

needs_jit = pytest.mark.skipif(not is_numba_function(jitted_waves), reason="there is nothing compiled")


@numba.njit
def jitted_pair(pair, scale):
    """A cost of a tuple of arrays of two dtypes."""
    return np.sum(pair[0] ** 2) * scale + np.float64(pair[1][0]) ** 3


@numba.njit
def jitted_failing(x):
    """A cost that raises where its third parameter is perturbed."""
    if x[2] != 2.0:
        raise RuntimeError("outside")
    return np.sum(x)


@numba.njit
def jitted_logs(x):
    """A sum of logarithms that raises, as math.log does, below zero."""
    if np.any(x < 0.0):
        raise ValueError("math domain error")
    return np.sum(np.log(x))


@numba.njit(parallel=True)
def jitted_parallel(x):
    """A cost with threads of its own."""
    total = 0.0
    for i in numba.prange(x.size):
        total += x[i] ** 2
    return total


@numba.njit
def jitted_square(x):
    """A cost that compiles for complex parameters too."""
    return np.sum(x * x)


def plain_loop(cost, x, indices, offsets, *args):
    """The textbook loop: a fresh copy of the parameters for every evaluation."""
    out = np.empty(offsets.shape, dtype=offsets.dtype)
    for k, i in enumerate(indices):
        for s in range(offsets.shape[1]):
            moved = x.astype(np.result_type(x, offsets))
            moved[i] += offsets[k, s]
            out[k, s] = cost(moved, *args)
    return out


ENGINES = [
    pytest.param(lambda p: PythonEngine(waves, p, (2.0,)), id="python"),
    pytest.param(lambda p: BatchedEngine(waves_batch, p, (2.0,), points=3), id="batched"),
    pytest.param(lambda p: CompiledEngine(jitted_waves, p, (2.0,)), id="compiled", marks=needs_jit),
]


@pytest.mark.parametrize("make", ENGINES)
class TestEveryEngine:
    def test_values_are_those_of_the_textbook_loop(self, make):
        """Values equal the textbook loop's, which copies the parameters for each evaluation."""
        x = np.linspace(-2, 2, 9)
        indices = np.array([0, 3, 8])
        offsets = np.array([[-0.5, 0.25, 1e-6], [0.0, 1.0, 2.0], [1e-3, -1e-3, 3.0]])
        found = make(Parameters(x)).values(indices, offsets)
        assert np.allclose(found, plain_loop(waves, x, indices, offsets, 2.0), rtol=1e-15, atol=1e-15)

    def test_parameters_are_restored(self, make):
        """After values the private copy is bitwise the caller's parameters again."""
        engine = make(Parameters(np.linspace(-2, 2, 9)))
        engine.values(np.arange(9), np.full((9, 3), 0.1))
        assert engine.working.first_change() is None

    def test_no_coordinates(self, make):
        """No coordinates give no values, in the right shape."""
        empty = make(Parameters(np.ones(4))).values(np.empty(0, dtype=np.intp), np.empty((0, 3)))
        assert empty.shape == (0, 3)

    def test_twin_has_its_own_parameters(self, make):
        """A twin for another thread shares no memory with the first."""
        engine = make(Parameters(np.ones(4)))
        twin = engine.for_worker()
        assert not np.shares_memory(engine.working.flat_leaves[0], twin.working.flat_leaves[0])
        assert twin.baseline() == engine.baseline()

    def test_pickled_without_the_private_copy(self, make):
        """Pickling leaves the private copy behind, and the pickle gives the same values."""
        engine = make(Parameters(np.ones(50_000)))
        engine.baseline()
        if engine.name == "compiled":
            import cloudpickle as pickler
        else:
            pickler = pickle
        data = pickler.dumps(engine)
        assert len(data) < 1.5 * 50_000 * 8
        offsets = np.full((2, 3), 0.5)
        again = pickle.loads(data).values(np.arange(2), offsets)
        assert np.array_equal(again, engine.values(np.arange(2), offsets))

    @given(cut=st.integers(1, 40), seed=st.integers(0, 100))
    @settings(max_examples=15)
    def test_values_do_not_depend_on_the_cut(self, make, cut, seed):
        """Cutting a plan at any multiple of the granularity changes no bit of the values."""
        rng = np.random.default_rng(seed)
        engine = make(Parameters(rng.normal(size=300)))
        m = 300
        offsets = rng.normal(size=(m, 3))
        whole = engine.values(np.arange(m), offsets)
        size = cut * engine.granularity
        parts = [engine.values(np.arange(m)[i : i + size], offsets[i : i + size]) for i in range(0, m, size)]
        assert np.array_equal(whole, np.concatenate(parts))


class TestPythonEngine:
    def test_nested_mixed_dtypes(self):
        """Blocks of float32 and float64 side by side are perturbed in their own dtype."""
        params = {"a": np.ones(2, dtype=np.float32), "b": (np.ones((2, 2)),)}
        seen = []

        def cost(p):
            seen.append((p["a"].dtype, p["b"][0].dtype, p["b"][0].shape))
            return float(p["a"][1]) + p["b"][0][1, 0]

        engine = PythonEngine(cost, Parameters(params))
        values = engine.values(np.array([1, 4]), np.array([[0.5], [0.25]]))
        assert values.tolist() == [[2.5], [2.25]]
        assert set(seen) == {(np.dtype(np.float32), np.dtype(np.float64), (2, 2))}

    def test_restored_after_an_exception(self):
        """The private copy is restored although the cost raised at a perturbed point."""

        def cost(x):
            if x[1] != 1:
                raise OSError("no")
            return 1.0

        engine = PythonEngine(cost, Parameters(np.ones(3)))
        with pytest.raises(OSError, match="no"):
            engine.values(np.array([1]), np.array([[0.5]]))
        assert engine.working.first_change() is None

    def test_stateful_object_is_copied_for_a_worker(self):
        """The cost of a stateful object gets an object of its own in each worker."""
        from fastgrad.cli.demos.lesson import NeuralNetwork, data

        problem = fastgrad.Problem.from_object(NeuralNetwork(), *data())
        engine = PythonEngine(problem.cost, Parameters(problem.params), problem.args)
        assert engine.for_worker().cost.net is not engine.cost.net


class TestToNumber:
    @pytest.mark.parametrize("value", [1.5, np.float64(1.5), np.float32(1.5), np.array(1.5), 2, np.int64(2)])
    def test_one_number(self, value):
        """Python and NumPy scalars and 0-d arrays are numbers."""
        assert to_number(value) == float(value)
        assert type(to_number(value)) is float

    @pytest.mark.parametrize("value", [True, [1.0], (1.0,), b"1", {"a": 1}, object()])
    def test_anything_else_is_refused(self, value):
        """What is not one number is refused."""
        with pytest.raises(fastgrad.InputError, match="the cost must return one number; got "):
            to_number(value)


class TestBatchedEngine:
    def test_batches_stay_under_the_cap(self):
        """No batch holds more than the memory cap, or than one vector where that is larger."""
        sizes = []

        def cost(batch):
            sizes.append(batch.shape)
            return batch.sum(axis=1)

        for n in (10, 10_000, 1_000_000, 3_000_000):
            engine = BatchedEngine(cost, Parameters(np.ones(n)), points=2)
            engine.values(np.arange(4), np.zeros((4, 2)))
        assert all(k == 1 or k * n * 8 <= BATCH_BYTES for k, n in sizes)
        assert all(k <= BATCH_ROWS for k, _ in sizes)
        assert {k for k, n in sizes if n == 3_000_000} == {1}

    def test_nested_parameters_get_a_leading_axis(self):
        """Each array of nested parameters gets a leading axis of the batch's length."""
        problem = layered_problem()
        X, T = problem.args

        def cost(p, X, T):
            rows = range(len(p["enc"]["b"]))
            each = (
                {"enc": {"W": p["enc"]["W"][k], "b": p["enc"]["b"][k]}, "out": [p["out"][0][k]]} for k in rows
            )
            return np.array([layered(q, X, T) for q in each])

        one = fastgrad.check(problem)
        two = fastgrad.check(
            fastgrad.Problem(cost, problem.gradient, problem.params, (X, T)), vectorized=True
        )
        assert np.array_equal(one.numeric, two.numeric)

    def test_wrong_shape_is_refused(self):
        """A cost that sums over the batch is refused with the shape that was wanted."""
        with pytest.raises(fastgrad.InputError, match=r"real numbers of shape \(1,\); got float64"):
            fastgrad.check_gradient(lambda b: np.sum(b), np.ones(3), np.ones(3), vectorized=True)

    def test_rows_that_touch_are_refused(self):
        """A cost whose rows depend on each other is refused."""

        def cost(batch):
            return ((batch - batch.mean(axis=0) + 1) ** 2).sum(axis=1)

        with pytest.raises(fastgrad.InputError, match="each row must be a cost of its own"):
            fastgrad.check_gradient(cost, np.ones(3), np.ones(3), vectorized=True)

    def test_exception_names_the_coordinates(self):
        """An exception in a batch passes through with the range of coordinates as a note."""

        def cost(batch):
            if len(batch) > 10:
                raise RuntimeError("too many")
            return batch.sum(axis=1)

        with pytest.raises(RuntimeError, match="too many") as caught:
            fastgrad.check_gradient(cost, np.ones(6), np.ones(6), vectorized=True)
        assert "perturbs params[0] to params[5]" in caught.value.__notes__[0]


@needs_jit
class TestCompiledEngine:
    def test_auto_takes_it_for_a_numba_cost(self):
        """A Numba cost runs in the compiled loop without being asked to."""
        x = np.linspace(-1, 1, 5)
        report = fastgrad.check_gradient(jitted_waves, lambda x, a: a * np.cos(x), x, args=(3.0,))
        assert (report.engine, report.verdict) == ("compiled", "agree")

    def test_tuple_of_two_dtypes(self):
        """A tuple of arrays of any shape and dtype is perturbed leaf by leaf."""
        params = (np.arange(6.0).reshape(2, 3), np.array([2.0, 1.0], dtype=np.float32))
        gradient = (4 * params[0], np.array([12.0, 0.0]))
        report = fastgrad.check_gradient(jitted_pair, gradient, params, args=(2.0,))
        assert (report.engine, report.verdict) == ("compiled", "agree")

    def test_equals_the_python_engine_bitwise(self):
        """The compiled loop gives bitwise what calling the compiled cost from Python gives."""
        p = Parameters(np.linspace(-1, 1, 20))
        offsets = np.linspace(-0.1, 0.1, 80).reshape(20, 4)
        compiled = CompiledEngine(jitted_waves, p, (2.0,)).values(np.arange(20), offsets)
        called = PythonEngine(jitted_waves, p, (2.0,)).values(np.arange(20), offsets)
        assert np.array_equal(compiled, called)

    def test_complex_step(self):
        """The loop compiles for complex parameters too."""
        x = np.linspace(-1, 1, 5)
        report = fastgrad.check_gradient(jitted_square, lambda x: 2 * x, x, method="complex")
        assert (report.engine, report.verdict) == ("compiled", "agree")
        assert report.relative_error < 1e-15

    def test_exception_is_the_costs_own(self):
        """An exception of the cost passes through, names the coordinate, and leaves nothing perturbed."""
        p = Parameters(np.arange(4.0))
        engine = CompiledEngine(jitted_failing, p)
        with pytest.raises(RuntimeError, match="outside") as caught:
            engine.values(np.array([1, 2, 3]), np.full((3, 1), 0.5))
        assert caught.value.__notes__ == ["fastgrad: while evaluating the cost around params[2]"]
        assert engine.working.first_change() is None

    def test_parallel_cost_gets_one_worker(self):
        """A cost with threads of its own is never run in two at once."""
        assert CompiledEngine(jitted_parallel, Parameters(np.ones(3))).workers == "one"
        assert CompiledEngine(jitted_waves, Parameters(np.ones(3))).workers == "threads"


class TestDomain:
    """Where a cost raises at a perturbed point, outside its domain."""

    x = np.array([1.0, 0.25, 3.0])

    def logs(self, x):
        """A sum of logarithms that raises, as math.log does, below zero."""
        return math.log(x[0]) + math.log(x[1]) + math.log(x[2])

    def batch(self, x):
        """The same for a batch, raising where any row leaves the domain."""
        if (x < 0).any():
            raise ValueError("math domain error")
        return np.log(x).sum(axis=1)

    @pytest.mark.parametrize("kind", ["python", "compiled", "batched"])
    def test_value_is_nan_and_the_exception_is_quoted(self, kind):
        """The point's value is NaN, all others are what they are, and nothing is left perturbed."""
        p = Parameters(self.x)
        engine = {
            "python": lambda: PythonEngine(self.logs, p),
            "compiled": lambda: CompiledEngine(jitted_logs, p),
            "batched": lambda: BatchedEngine(self.batch, p),
        }[kind]()
        offsets = np.array([[0.5, -0.5], [-0.5, 0.5], [0.5, -0.5]])
        found = engine.values(np.arange(3), offsets)
        expected = [[self.logs(self.x + d * np.eye(3)[k]) for d in offsets[k] if d > 0] for k in range(3)]
        assert np.array_equal(np.isnan(found), [[False, False], [True, False], [False, False]])
        assert np.allclose(found[[0, 1, 2], [0, 1, 0]], np.ravel(expected), rtol=1e-15)
        assert "domain" in engine.quoted
        assert engine.quoted.startswith("ValueError")
        assert engine.working.first_change() is None


class TestChoose:
    @pytest.mark.parametrize(("vectorized", "name"), [(False, "python"), (True, "batched")])
    def test_auto(self, vectorized, name):
        """A plain callable runs from Python, a vectorized one in batches."""
        problem = fastgrad.Problem(waves, np.cos, np.ones(3))
        assert choose_engine(problem, Parameters(np.ones(3)), CENTRAL, vectorized=vectorized).name == name

    def test_points_of_the_stencil_reach_the_batch(self):
        """Batches hold whole coordinates of the stencil at work."""
        problem = fastgrad.Problem(waves_batch, np.cos, np.ones(3))
        engine = choose_engine(problem, Parameters(np.ones(3)), CENTRAL6, vectorized=True)
        assert engine.granularity == BATCH_ROWS // 6

    def test_complex_step_asks_for_complex_values(self):
        """The complex stencil gives a complex engine."""
        problem = fastgrad.Problem(waves, np.cos, np.ones(3))
        assert choose_engine(problem, Parameters(np.ones(3)), COMPLEX).dtype is np.complex128
