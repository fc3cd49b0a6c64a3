"""The engine for a cost that takes a batch."""

from __future__ import annotations

import numpy as np
import pytest
from problems import layered, layered_problem

import fastgrad
from fastgrad.engines.batched import BATCH_BYTES, BATCH_ROWS, BatchedEngine
from fastgrad.problem.parameters import Parameters


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
            if (batch != 1).any(axis=0).all():
                raise RuntimeError("all of them")
            return batch.sum(axis=1)

        with pytest.raises(RuntimeError, match="all of them") as caught:
            fastgrad.check_gradient(cost, np.ones(6), np.ones(6), vectorized=True)
        assert "perturbs params[0] to params[5]" in caught.value.__notes__[0]
