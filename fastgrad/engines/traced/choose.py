"""Whether a plain cost is recorded: asked for, or where it is seen to be faster.

`engines.choose` calls `required_engine` for engine="traced". `coordinates.engines` calls `faster_engine` for
engine="auto", once it is known what one evaluation of the plain cost takes.
"""

from __future__ import annotations

import time

import numpy as np

from fastgrad.differences.stencils import Stencil
from fastgrad.engines.numbers import DOMAIN_ERRORS, to_number
from fastgrad.engines.protocol import Engine
from fastgrad.engines.python import PythonEngine
from fastgrad.engines.traced.declined import Declined
from fastgrad.engines.traced.engine import TracedEngine
from fastgrad.engines.traced.recording import recorded_tape
from fastgrad.engines.traced.trust import compared
from fastgrad.errors import InputError
from fastgrad.problem.parameters import Parameters
from fastgrad.problem.problem import Problem

TIMED = 32
"""Coordinates at which batches are timed, at most."""

TIMING = 0.02
"""Seconds that the plain cost would take for that: of a slow cost fewer coordinates are timed."""

FASTER = 0.8
"""The share of the plain cost's time that an evaluation of the tape may take."""

PLAIN = "the cost was evaluated as it is, since it cannot be recorded: {reason}"

RECORDED = (
    "the cost was recorded as {operations:,} NumPy operations, which were evaluated for many points at a "
    "time; they gave the same as the cost itself at {points} points"
)


def recorded_engine(cost: PythonEngine, seed: int) -> tuple[TracedEngine, int]:
    """The engine for a recorded cost, and how many evaluations it took to trust it.

    Raises
    ------
    Declined
        Where the cost cannot be recorded.
    """
    tape = recorded_tape(cost)
    engine = TracedEngine(cost.cost, cost.parameters, cost.args, tape)
    engine.costs.at_parameters = float(to_number(cost.cost(cost.working.structure, *cost.args)))
    points = compared(engine, seed)
    engine.notes = (RECORDED.format(operations=len(tape.operations), points=points),)
    return engine, points + 1


def required_engine(problem: Problem, parameters: Parameters, stencil: Stencil) -> TracedEngine:
    """The engine for engine="traced".

    Raises
    ------
    InputError
        Where the cost cannot be recorded, with file, line and operation.
    """
    if stencil.is_complex:
        raise InputError(
            'engine="traced" takes real steps only: use engine="python" with method="complex"', code="FG602"
        )
    try:
        return recorded_engine(PythonEngine(problem.cost, parameters, problem.args), 0)[0]
    except Declined as declined:
        raise InputError(
            f'engine="traced" cannot record the cost: {declined}. engine="python" evaluates it as it is',
            code="FG605",
        ) from None


def faster_engine(
    plain: Engine, seconds: float, seed: int, taken_before: bool = False
) -> tuple[Engine, int, float]:
    """The engine for a recorded cost where that is faster, else the plain one.

    Returns
    -------
    engine : Engine
    made : evaluations that it took to choose
    seconds : what one evaluation by that engine takes

    Parameters
    ----------
    plain : the engine that was chosen
    seconds : what one evaluation of the cost was seen to take
    seed : for the choice of points at which tape and cost are compared
    taken_before : whether an earlier run found it faster, and it is taken whatever the clock says now
    """
    if not isinstance(plain, PythonEngine) or plain.dtype is not np.float64:
        return plain, 0, seconds
    try:
        engine, made = recorded_engine(plain, seed)
    except Declined as declined:
        plain.notes += (PLAIN.format(reason=declined),)
        return plain, 1, seconds
    engine.epsilon = plain.epsilon
    each = _seconds_each(engine, seed, seconds)
    if taken_before or each * engine.share_of_batches < FASTER * seconds:
        return engine, made, each
    return plain, made, seconds


def _seconds_each(engine: TracedEngine, seed: int, plainly: float) -> float:
    """What an evaluation takes in a batch, once it is known what each operation does."""
    size = engine.parameters.size
    count = min(TIMED, size, max(2, int(TIMING / max(plainly, 1e-9))))
    some = np.sort(np.random.default_rng(seed).choice(size, count, replace=False)).astype(np.intp)
    offsets = np.tile([-(2.0**-20), 2.0**-20], (len(some), 1))
    elapsed = np.inf
    for _ in range(2):
        began = time.perf_counter()
        try:
            engine.values(some, offsets)
        except DOMAIN_ERRORS:
            return np.inf
        elapsed = time.perf_counter() - began
    return elapsed / offsets.size
