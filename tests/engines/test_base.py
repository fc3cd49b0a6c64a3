"""What engines have in common: a cost that raises outside its domain."""

from __future__ import annotations

import math

import numba
import numpy as np
import pytest

import fastgrad
from fastgrad.engines.base import require_unchanged
from fastgrad.engines.batched import BatchedEngine
from fastgrad.engines.compiled import CompiledEngine
from fastgrad.engines.python import PythonEngine
from fastgrad.problem.parameters import Parameters
from fastgrad.problem.working_copy import WorkingCopy


@numba.njit
def jitted_logs(x):
    """A sum of logarithms that raises, as math.log does, below zero."""
    if np.any(x < 0.0):
        raise ValueError("math domain error")
    return np.sum(np.log(x))


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


class TestRequireUnchanged:
    def test_written(self):
        """A cost that wrote into its parameters is refused with the coordinate, before and after."""
        working = WorkingCopy(Parameters({"a": np.ones(3)}))
        require_unchanged(working)
        working.flat_leaves[0][1] = 2.0

        with pytest.raises(fastgrad.InputError, match=r"changes its parameters: a\[1\] was 1 and is 2"):
            require_unchanged(working)
        require_unchanged(working, np.array([0, 2]))

    def test_replaced(self):
        """A cost that put another array into the structure is refused with the block's name."""
        working = WorkingCopy(Parameters({"a": np.ones(3)}))
        working.structure["a"] = np.ones(3)

        with pytest.raises(fastgrad.InputError, match="it replaced a in the structure it was given"):
            require_unchanged(working)
