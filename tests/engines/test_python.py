"""The engine for any Python callable."""

from __future__ import annotations

import numpy as np
import pytest

import fastgrad
from fastgrad.engines.python import PythonEngine
from fastgrad.problem.parameters import Parameters


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
