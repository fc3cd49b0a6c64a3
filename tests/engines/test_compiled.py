"""The engine for a Numba cost."""

from __future__ import annotations

import numba
import numpy as np
import pytest
from engine_cases import jitted_waves, needs_jit

import fastgrad
from fastgrad.engines.compiled import CompiledEngine
from fastgrad.engines.python import PythonEngine
from fastgrad.problem.parameters import Parameters


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
