"""The plain checks of the cost before any difference is taken: it is one number, finite, the same twice.

`coordinates.engines` calls `check_cost` once for the engine it has chosen, and gets the `Baseline`.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import numpy as np

from fastgrad.engines.protocol import Engine
from fastgrad.errors import InputError
from fastgrad.preflight.complex_step import casts_to_real_refused, require_same_branch
from fastgrad.preflight.looks import Looks

LARGEST_JITTER = 2.0**-20
"""The largest difference of two answers for the same parameters that passes for rounding error, relative to
their size: threads may sum in another order each time. A function with larger differences is random."""

REPEATS = 8
"""Calls from which the scatter of a cost with such differences is computed (docs/numerics.md, Noise)."""

JITTERS = (
    "the cost does not repeat itself to the last digit: {} calls at the same parameters scatter by {:.2g} "
    "(threads that sum in another order?); that is part of its noise"
)


@dataclass(frozen=True)
class Baseline:
    """The cost at the parameters themselves."""

    cost: float
    seconds: float
    """What one evaluation took."""
    evaluations: int
    """How many evaluations the checks made."""
    notes: tuple[str, ...] = ()
    """Sentences for the report."""


def check_cost(engine: Engine, looks: Looks | None = None) -> Baseline:
    """Evaluate the cost at the parameters twice, and see that it can be differenced.

    Parameters
    ----------
    engine : Engine
    looks : what there is a budget for, and what the cost gave before; everything without

    Raises
    ------
    InputError
        For a cost that does not return one finite number, changes its parameters, gives two answers, or
        under the complex step loses the imaginary part.
    """
    looks = Looks() if looks is None else looks
    if engine.dtype is not np.complex128:
        return _same_twice(engine, looks)
    with casts_to_real_refused():
        baseline = _same_twice(engine, looks)
        if not looks.room(baseline.seconds, baseline.evaluations + 1):
            return baseline
        require_same_branch(engine, baseline.cost)
    return replace(baseline, evaluations=baseline.evaluations + 1)


def require_alike(first: float, second: float) -> None:
    """Refuse a cost that gave two values for the same parameters, unless they are a little apart.

    Raises
    ------
    InputError
        With both values.
    """
    if not abs(first - second) <= LARGEST_JITTER * max(abs(first), abs(second)):
        raise InputError(
            f"the cost gave {first!r} and then {second!r} for the same parameters: differences of it "
            "mean nothing. Fix its random numbers (a seed, a dropout mask), any state it keeps, and data "
            "that it changes",
            code="FG208",
        )


def _same_twice(engine: Engine, looks: Looks) -> Baseline:
    points, first, seconds = engine.points_of_baseline, *_timed(engine)
    enough = not looks.room(seconds, 2 * points)
    if enough and points > 1:  # in two batches, and it was the same in both
        second, made = first, points
    elif enough and looks.earlier is not None:  # the cost was called twice, then, as any check has to
        second, made = looks.earlier, points
    else:
        if looks.earlier is None:
            looks.allowance.foresee(seconds)
        second, again = _timed(engine)
        seconds, made = min(seconds, again), 2 * points  # one of them may have met a hiccup
    if not np.isfinite(first):
        raise InputError(
            f"the cost is {first} at the parameters themselves: it must be finite where its gradient "
            "is checked; move the parameters, or look for NaN and inf in the data",
            code="FG207",
        )
    if first == second:
        return Baseline(first, seconds, made)
    require_alike(first, second)
    if not looks.room((REPEATS - 2) * seconds, made + (REPEATS - 2) * points):
        return Baseline(first, seconds, made, (JITTERS.format(2, abs(first - second)),))
    values = [first, second, *(engine.baseline() for _ in range(REPEATS - 2))]
    note = JITTERS.format(REPEATS, np.std(values, ddof=1))
    return Baseline(float(np.median(values)), seconds, made + (REPEATS - 2) * points, (note,))


def _timed(engine: Engine) -> tuple[float, float]:
    """The cost at the parameters, and how long that took."""
    began = time.perf_counter()
    value = engine.baseline()
    return value, time.perf_counter() - began
