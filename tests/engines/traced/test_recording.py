"""A tape is made where the cost can be recorded, and no Numba is loaded for it."""

from __future__ import annotations

import pytest
from subprocesses import output_of_python
from traced_cases import NET, net

import fastgrad
from fastgrad.engines.python import PythonEngine
from fastgrad.engines.traced.declined import Declined
from fastgrad.engines.traced.recording import recorded_tape, tape_of
from fastgrad.problem.parameters import Parameters


def test_tape_of():
    """The tape of a problem's cost, to be shown."""
    lines = list(tape_of(fastgrad.Problem(net, None, NET)).lines())
    assert lines[0] == "%0 = parameters W1  float64[6, 5]"
    assert "matmul" in lines[4]


def test_declined():
    """What cannot be recorded is refused with the reason."""
    cost = lambda p: float(p["W1"][0, 0])  # noqa: E731 - a number of Python, of which no operation is seen
    with pytest.raises(Declined):
        recorded_tape(PythonEngine(lambda p: float(cost(p)) ** 2, Parameters(NET)))
    with pytest.raises(fastgrad.InputError, match=r"the cost cannot be recorded: .*\[FG605\]"):
        tape_of(fastgrad.Problem(lambda p: float(cost(p)) ** 2, None, NET))


def test_without_numba():
    """A tape, and the page of a small check, need no Numba: it takes a second to load."""
    code = """if True:
        import sys
        sys.modules["numba"] = None
        import numpy as np
        import fastgrad
        report = fastgrad.check_gradient(lambda x: np.sum(np.sin(x)), lambda x: 1.1 * np.cos(x), np.ones(3))
        print(len(report.code_lines().lines), "svg" in report.to_html())
    """
    assert output_of_python(code).split() == ["1", "True"]
