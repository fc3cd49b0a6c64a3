"""Random directions as a second witness: whether the differences found one by one add up along them.

`checks` asks after the coordinates were measured. Where a direction does not agree, the few coordinates that
it leads to are measured again, closer by.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fastgrad.arrays import Floats, IndexArray
from fastgrad.coordinates.measurement import Coordinates
from fastgrad.differences.steps import ULPS_OF_A_RAISED_STEP
from fastgrad.directions.agreement import Directions, Found
from fastgrad.engines.choose import is_networks_own
from fastgrad.engines.joint import JointEngine
from fastgrad.execution.evaluator import Evaluator

ROUNDS = 8
"""How often coordinates are measured again that a direction leads to."""

EXCLUDES = 1.0
"""Directions that exclude no error of less than a typical slope itself are not worth a sentence."""

LARGEST_ASKED = 2**26
"""Coordinates up to which directions are asked: each takes as many displacements."""


@dataclass(frozen=True)
class Heard:
    """What came of random directions."""

    sentence: str = ""
    """For the report; empty where none were asked."""
    found_anew: int = 0
    """Coordinates that were measured again, and have another derivative."""


def ask_directions(coordinates: Coordinates) -> Heard:
    """Ask random directions whether the differences add up, and measure again what does not.

    They are not asked of an engine that knows the structure of the cost, nor of the complex step.

    Parameters
    ----------
    coordinates : Coordinates, whose table takes over what is measured again
    """
    spec, engines, run = coordinates.spec, coordinates.engines, coordinates.run
    known = coordinates.known
    if engines.engine.knows_layers or spec.stencil.is_complex or len(known.indices) > LARGEST_ASKED:
        return Heard()
    if spec.options.tolerance is not None or run.budget.stopped or not known.space.is_plain:
        return Heard()
    positions = np.flatnonzero(np.isfinite(known.table.numeric) & ~known.table.kink)
    if not len(positions):
        return Heard()
    engines.finish()  # before the moves of many coordinates put back what a cost may have changed
    engine = _engine(coordinates)
    evaluate = Evaluator(engine, engines.seconds, run)
    directions = Directions(
        engine, evaluate, _found(coordinates, positions), coordinates.calibration.largest_noise,
        coordinates.z, spec.options.seed, lambda count: _allowed(coordinates, count),
    )  # fmt: skip
    anew, heard = 0, directions.agreement()
    for _ in range(ROUNDS):
        if heard.agrees:
            break
        changed = coordinates.measure_closer(positions[heard.doubtful], heard.off)
        if changed:
            directions.begin(_found(coordinates, positions))
        anew += changed
        heard = directions.agreement()
    engine.finish()
    if not heard.narrow:
        return Heard("", anew)
    with np.errstate(all="ignore"):
        share = heard.missed / np.abs(directions.found.slopes)
    share = share[np.isfinite(share)]
    typical = float(np.median(share)) if len(share) else np.inf
    return Heard(_sentence(heard.narrow, typical, anew) if typical < EXCLUDES else "", anew)


def _found(coordinates: Coordinates, positions: IndexArray) -> Found:
    """What is known at some positions of the table."""
    table = coordinates.known.table
    return Found(
        table.plan.indices[positions],
        table.numeric[positions],
        table.error_bound[positions],
        table.plan.steps[positions],
        _least(coordinates, positions),
    )


def _sentence(count: int, typical: float, anew: int) -> str:
    again = (
        f"; {anew} coordinates were measured again for them, and have another derivative closer by"
        if anew
        else ""
    )
    return (
        f"the differences add up along {count} random directions, at far smaller steps than their own: none "
        f"is off by more than {typical:.1g} of itself (the typical one), but for a chance of "
        f"2^-{count}{again}"
    )


def _engine(coordinates: Coordinates) -> JointEngine:
    engines, problem = coordinates.engines, coordinates.spec.problem
    own = is_networks_own(problem.cost, problem.structure, "cost")  # and so keeps no state
    safe = own or engines.engine.workers != "processes"
    engine = JointEngine(
        problem.cost, coordinates.spec.parameters, problem.args, engines.cost,
        coordinates.spec.options.vectorized, "threads" if safe else "processes",
    )  # fmt: skip
    engine.epsilon = engines.in_reals.engine.epsilon
    engine.borrow(engines.in_reals.engine)
    return engine


def _least(coordinates: Coordinates, positions: IndexArray) -> Floats:
    """The smallest displacements (m,) that floating point makes well."""
    parameters, indices = coordinates.spec.parameters, coordinates.known.table.plan.indices[positions]
    least = np.empty(len(indices))
    for number, where in parameters.segments(indices):
        x = parameters.leaves[number][indices[where] - parameters.blocks[number].start]
        least[where] = ULPS_OF_A_RAISED_STEP * np.spacing(np.abs(x)).astype(np.float64)
    return least


def _allowed(coordinates: Coordinates, evaluations: int) -> bool:
    """Whether there is budget for so many more evaluations."""
    budget = coordinates.run.budget
    return not budget.is_over() and budget.left(coordinates.engines.in_reals.seconds_each) >= evaluations
