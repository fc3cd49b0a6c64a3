"""An engine within a run: values as far as the budget goes, counted."""

from __future__ import annotations

import numpy as np

from fastgrad.engines.python import PythonEngine
from fastgrad.execution.budget import Budget
from fastgrad.execution.evaluator import Evaluator
from fastgrad.execution.run import Run
from fastgrad.problem.parameters import Parameters

X = np.array([0.1, 0.2, 0.3, 0.4])
OFFSETS = np.tile([-0.5, 0.5], (4, 1))


def evaluator_of(run):
    """An evaluator of a sum of squares."""
    engine = PythonEngine(lambda x: float(x @ x), Parameters(X))
    engine.baseline()
    return Evaluator(engine, 1e-6, run)


def test_values_and_counts():
    """All values are those of the cost; the run counts them."""
    run = Run()
    evaluate = evaluator_of(run)
    values = evaluate(np.arange(4), OFFSETS)
    expected = X @ X + 2 * X[:, None] * OFFSETS + OFFSETS**2
    np.testing.assert_allclose(values, expected, rtol=1e-14)
    assert run.evaluations == evaluate.evaluations == 8


def test_as_far_as_the_budget_goes():
    """Rows that there is no budget for are NaN, and are said not to be known; the next call ends it."""
    run = Run(budget=Budget(evaluations=5))
    values, known = evaluator_of(run).as_far_as_possible(np.arange(4), OFFSETS)
    assert known.tolist() == [True, True, False, False]
    assert np.isfinite(values).all(axis=1).tolist() == known.tolist()
    assert run.evaluations == 4
    assert not run.budget.stopped
    evaluator_of(run)(np.arange(1), OFFSETS[:1])
    assert "max_evaluations" in run.budget.stopped


def test_nothing_after_the_end():
    """When the budget is over nothing is evaluated."""
    run = Run()
    run.budget.stop("enough")
    values, known = evaluator_of(run).as_far_as_possible(np.arange(4), OFFSETS)
    assert np.isnan(values).all()
    assert not known.any()
    assert run.evaluations == 0


def test_finished_chunks_are_shown():
    """Who watches sees each coordinate once."""
    seen = []
    evaluator_of(Run()).as_far_as_possible(
        np.arange(4), OFFSETS, lambda chunk, values: seen.extend(range(chunk.start, chunk.stop))
    )
    assert sorted(seen) == [0, 1, 2, 3]
