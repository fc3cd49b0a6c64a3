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

LARGEST_JITTER = 2.0**-20
"""The largest difference of two answers for the same parameters that passes for rounding error, relative to
their size: threads may sum in another order each time. A function with larger differences is random."""

REPEATS = 8
"""Calls from which the scatter of a cost with such differences is computed (docs/numerics.md, Noise)."""


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


def check_cost(engine: Engine) -> Baseline:
    """Evaluate the cost at the parameters twice, and see that it can be differenced.

    Raises
    ------
    InputError
        For a cost that does not return one finite number, changes its parameters, gives two answers, or
        under the complex step loses the imaginary part.
    """
    if engine.dtype is not np.complex128:
        return _same_twice(engine)
    with casts_to_real_refused():
        baseline = _same_twice(engine)
        require_same_branch(engine, baseline.cost)
    return replace(baseline, evaluations=baseline.evaluations + 1)


def _same_twice(engine: Engine) -> Baseline:
    first = engine.baseline()
    began = time.perf_counter()
    second = engine.baseline()
    seconds = time.perf_counter() - began
    if not np.isfinite(first):
        raise InputError(
            f"the cost is {first} at the parameters themselves: it must be finite where its gradient "
            "is checked; move the parameters"
        )
    if first == second:
        return Baseline(first, seconds, 2 * engine.points_of_baseline)
    if not abs(first - second) <= LARGEST_JITTER * max(abs(first), abs(second)):
        raise InputError(
            f"the cost gave {first!r} and then {second!r} for the same parameters: differences of it "
            "mean nothing. Fix its random numbers (a seed, a dropout mask) and any state it keeps"
        )
    values = [first, second, *(engine.baseline() for _ in range(REPEATS - 2))]
    note = (
        f"the cost does not repeat itself to the last digit: {REPEATS} calls at the same parameters scatter "
        f"by {np.std(values, ddof=1):.2g} (threads that sum in another order?); that is part of its noise"
    )
    return Baseline(float(np.median(values)), seconds, REPEATS * engine.points_of_baseline, (note,))
