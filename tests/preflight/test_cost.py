"""The plain checks of the cost: one finite number, the same twice."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from fastgrad.engines.python import PythonEngine
from fastgrad.errors import InputError
from fastgrad.preflight.cost import REPEATS, check_cost
from fastgrad.problem.parameters import Parameters


def checked(*answers):
    """The check of a cost that gives these answers in turn, again and again."""
    answers = itertools.cycle(answers)
    return check_cost(PythonEngine(lambda x: next(answers), Parameters(np.ones(2))))


def test_a_cost_that_repeats_itself():
    """Two equal answers are the cost, for two evaluations."""
    baseline = checked(2.5)
    assert (baseline.cost, baseline.evaluations, baseline.notes) == (2.5, 2, ())


def test_jitter_is_measured():
    """Answers that differ in the last digits are measured a few times more, and that is said."""
    baseline = checked(1.0, 1.0 + 1e-12)
    assert baseline.evaluations == REPEATS
    assert 1.0 <= baseline.cost <= 1.0 + 1e-12
    assert "does not repeat itself to the last digit" in baseline.notes[0]


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        ((1.0, 1.1), r"the cost gave 1\.0 and then 1\.1 for the same parameters"),
        ((np.inf,), "the cost is inf at the parameters themselves"),
        ((np.nan,), "the cost is nan at the parameters themselves"),
    ],
)
def test_refused(answers, message):
    """A random cost and one that is not finite are refused."""
    with pytest.raises(InputError, match=message):
        checked(*answers)
