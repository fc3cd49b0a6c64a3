"""What runs in a worker process, and how an exception comes home from it."""

from __future__ import annotations

import numpy as np
import pytest

from fastgrad.engines.python import PythonEngine
from fastgrad.errors import WorkerError
from fastgrad.execution.processes import Raised, _run_in_process, reason_not_sent
from fastgrad.problem.parameters import Parameters


class Odd(Exception):
    """An exception that cannot be made again from its text."""

    def __init__(self, one, two):
        super().__init__(f"{one} and {two}")


def test_an_exception_comes_home_as_it_was():
    """An exception of the cost is raised again with its type, text and the worker's traceback."""
    error = Raised.of(KeyError("weights")).error()
    assert type(error) is KeyError
    assert error.args == ("weights",)
    assert "in a worker process" in error.__notes__[0]


def test_one_that_cannot_travel_is_quoted():
    """An exception that pickle cannot make again becomes a WorkerError with its text."""
    with pytest.raises(WorkerError, match="one and two"):
        raise Raised.of(Odd("one", "two")).error()


def test_a_chunk_or_what_it_raised():
    """A worker answers with the values of its chunk, or with what the cost raised."""

    def cost(x):
        if x[0] > 1:
            raise RuntimeError("too far")
        return float(x[0])

    engine = PythonEngine(cost, Parameters(np.zeros(1)))
    chunk, values = _run_in_process(engine, slice(0, 1), np.zeros(1, int), np.array([[0.5]]))
    assert (chunk, values.tolist()) == (slice(0, 1), [[0.5]])
    _, raised = _run_in_process(engine, slice(0, 1), np.zeros(1, int), np.array([[2.0]]))
    assert isinstance(raised, Raised)
    assert "too far" in raised.text


def test_the_reason_is_the_last_line():
    """Of a long text of causes the last line that says something is quoted."""
    error = RuntimeError("x")
    error.__cause__ = RuntimeError('Traceback\n  ...\nTypeError: cannot pickle a lock\n"""\n')
    assert reason_not_sent(error) == "TypeError: cannot pickle a lock"
