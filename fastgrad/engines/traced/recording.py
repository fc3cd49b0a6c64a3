"""The tape of a cost, made or refused: no engine is loaded for it, and no Numba.

`choose` evaluates it; `fastgrad trace` prints it; `report.code_lines` reads its lines.
"""

from __future__ import annotations

from fastgrad.engines.python import PythonEngine
from fastgrad.engines.traced.declined import Declined
from fastgrad.engines.traced.recorder import record
from fastgrad.engines.traced.tape import Tape
from fastgrad.errors import InputError
from fastgrad.problem.as_given import AsGiven, as_given
from fastgrad.problem.naming import copy_for_worker
from fastgrad.problem.parameters import Parameters
from fastgrad.problem.problem import Problem


def tape_of(problem: Problem) -> Tape:
    """The tape of a problem's cost.

    Raises
    ------
    InputError
        Where the cost cannot be recorded, with file, line and operation.
    """
    parameters = Parameters(problem.params)
    cost = as_given(problem.cost, parameters)
    try:
        return recorded_tape(PythonEngine(cost, parameters, problem.args))
    except Declined as declined:
        raise InputError(f"the cost cannot be recorded: {declined}", code="FG605") from None


def recorded_tape(cost: PythonEngine) -> Tape:
    """The tape of an engine's cost.

    Raises
    ------
    Declined
        Where the cost cannot be recorded.
    """
    if isinstance(cost.cost, AsGiven):
        raise Declined(f"it gets {cost.cost.kind}, not plain arrays")
    return record(copy_for_worker(cost.cost), cost.parameters, cost.args)
