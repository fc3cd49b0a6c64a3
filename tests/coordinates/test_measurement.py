"""Coordinates are measured in one call or in many, with the same result."""

from __future__ import annotations

import numpy as np
import pytest
from running import X, running

from fastgrad.execution.budget import Budget
from fastgrad.execution.run import Run

EVERYONE = np.arange(len(X))


def test_in_one_call_or_in_many():
    """The derivative of a coordinate does not depend on when it was asked for."""
    whole, pieces = running(), running()
    whole.measure(EVERYONE)
    pieces.calibrate(EVERYONE)
    for some in ([4, 6], [0], [1, 2, 3, 5, 7]):
        pieces.measure(np.array(some))
    np.testing.assert_array_equal(pieces.known.indices, EVERYONE)
    np.testing.assert_array_equal(pieces.known.table.numeric, whole.known.table.numeric)


def test_nothing_is_measured_twice():
    """A coordinate that is known already costs no evaluation."""
    coordinates = running()
    coordinates.measure(EVERYONE)
    before = coordinates.run.evaluations
    coordinates.measure(EVERYONE[2:5])
    assert coordinates.run.evaluations == before


def test_what_a_budget_does_not_reach_is_left_out():
    """Coordinates that the budget had no room for are not among the known ones."""
    coordinates = running(run=Run(budget=Budget(evaluations=60)))
    coordinates.calibrate(EVERYONE)
    coordinates.run.budget.evaluations = coordinates.run.evaluations + 7
    coordinates.measure(EVERYONE)
    assert coordinates.known.indices.tolist() == [0, 1, 2]


def test_the_result():
    """The result has the verdict on each coordinate, the noise by block, and the causes."""
    coordinates = running(claim=np.cos(X) + (EVERYONE == 5))
    coordinates.measure(EVERYONE)
    coordinates.settle()
    found = coordinates.result()
    assert found.comparison.wrong.tolist() == (EVERYONE == 5).tolist()
    assert list(found.noise) == ["params"]
    assert (np.abs(found.estimates.numeric - np.cos(X)) <= found.estimates.error_bound).all()


def test_before_anything_is_known():
    """Asking what is known before anything was measured is an error of the program, and says so."""
    with pytest.raises(RuntimeError, match="nothing was measured"):
        _ = running().known
