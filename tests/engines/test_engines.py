"""Every engine answers the one question: the cost at theta + offsets[k, s] * e_indices[k]."""

from __future__ import annotations

import math
import pickle

import numba
import numpy as np
import pytest
from engine_cases import jitted_waves, needs_jit
from hypothesis import given, settings
from hypothesis import strategies as st
from problems import waves, waves_batch

from fastgrad.engines.batched import BatchedEngine
from fastgrad.engines.compiled import CompiledEngine
from fastgrad.engines.python import PythonEngine
from fastgrad.problem.parameters import Parameters


@numba.njit
def jitted_logs(x):
    """A sum of logarithms that raises, as math.log does, below zero."""
    if np.any(x < 0.0):
        raise ValueError("math domain error")
    return np.sum(np.log(x))


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
