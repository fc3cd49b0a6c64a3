"""Independent tests of a gradient, made after the differences: the complex step and the path integral.

`checks` calls `ask_complex_step` and `ask_path_integral` when the coordinates are measured, where no budget
limits the check. Each gives a sentence for the report. The complex step may decide coordinates that
differences could not; its derivatives go into the table of coordinates.

The witnesses are loaded when they are asked: `import fastgrad` does without them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from fastgrad.coordinates.derivatives import Measured
from fastgrad.coordinates.engines import Engines
from fastgrad.coordinates.measurement import Coordinates
from fastgrad.differences.reasons import Reason
from fastgrad.execution.budget import INTERRUPTED
from fastgrad.execution.run import Run
from fastgrad.specification import Specification
from fastgrad.strategy.outcome import Outcome
from fastgrad.verdict.rule import COUNTS

if TYPE_CHECKING:
    from fastgrad.witnesses.complex_step import Answer
    from fastgrad.witnesses.functions import Functions

_Answered = TypeVar("_Answered")

LARGEST_ASKED = 2**22
"""Parameters up to which the complex step is asked: it takes three copies of them."""

COPIED = 2**27
"""Numbers that are copied at most to ask the complex step: it gets fresh parameters for each coordinate."""

NOT_ASKED = "the complex step was not asked for the undecided coordinates: "

PATH_SHARE = 20
"""The path integral is taken where the cost was evaluated so many times more often than it calls the
gradient, whose price is that of a few evaluations. An incremental engine evaluates for next to nothing: it is
not taken."""


def ask_complex_step(coordinates: Coordinates) -> str:
    """Decide by the complex step what differences left undecided, if it is believed; what came of it.

    Parameters
    ----------
    coordinates : Coordinates, whose table takes over the derivatives

    Returns
    -------
    str
        A sentence for the report; empty where the complex step was not asked.
    """
    spec, engines, run, known = coordinates.spec, coordinates.engines, coordinates.run, coordinates.known
    parameters, options, table = spec.parameters, spec.options, known.table
    limited = run.budget.limited or bool(run.budget.stopped)  # it takes what it takes
    plain = not engines.engine.knows_layers and engines.engine.dtype is np.float64
    if limited or parameters.size > LARGEST_ASKED or not plain or options.tolerance is not None:
        return ""
    comparison = known.judge()
    unclear = comparison.undecided
    if not engines.engine.incremental:  # one call of the cost takes as long as thousands of its evaluations
        unclear = unclear | comparison.small | (comparison.rho > COUNTS)
    lost = table.kink | table.special | (table.reason == Reason.NOT_FINITE)
    if known.claim is None or not (unclear & ~comparison.wrong).any() or _is_single(spec, engines):
        return ""
    wanted = np.flatnonzero(unclear & ~comparison.wrong & ~lost)
    decided = np.flatnonzero(comparison.by_itself)
    if not len(wanted):
        return ""
    from fastgrad.witnesses.analytic_arrays import why_not_analytic
    from fastgrad.witnesses.complex_step import (
        DIRECTIONS,
        OF_EACH_BLOCK,
        RealDifferences,
        by_complex_witness,
    )
    from fastgrad.witnesses.functions import Functions

    some = decided[parameters.few_of_each_block(known.indices[decided], OF_EACH_BLOCK)]
    estimates = known.estimates()
    wanted = wanted[: max(1, COPIED // parameters.size)]
    real = RealDifferences(
        engines.cost,
        coordinates.calibration.largest_noise,
        coordinates.z,
        known.indices[some],
        estimates.numeric[some],
        estimates.error_bound[some],
    )
    functions = Functions(spec.problem, parameters, options.vectorized)

    def asked() -> Answer | str:
        doubt = why_not_analytic(functions)
        return doubt or by_complex_witness(functions, real, known.indices[wanted], options.seed)

    found = _said(asked, functions, run)
    if found is None:
        return ""
    if isinstance(found, str) or found.doubt:
        doubt = found if isinstance(found, str) else found.doubt
        return (NOT_ASKED + doubt) * bool(comparison.undecided.any())
    better = found.error_bound < table.error_bound[wanted]
    table.accept(wanted[better], found.numeric[better], found.error_bound[better])
    return (
        f"the complex step decided {len(wanted):,} coordinates that differences saw to less than {COUNTS:g} "
        f"of themselves; it agreed with them along {DIRECTIONS} random directions and at {len(some)} decided "
        "coordinates"
    )


def _is_single(spec: Specification, engines: Engines) -> bool:
    """Whether parameters or cost are float32: complex numbers of that precision see no further."""
    double = float(np.finfo(np.float64).eps)
    return engines.epsilon > double or any(b.dtype == np.float32 for b in spec.parameters.blocks)


def ask_path_integral(
    spec: Specification, engines: Engines, run: Run, found: Measured, outcome: Outcome, z: float
) -> str:
    """What the path integral of the gradient says; empty where it is not taken.

    It is not taken where something is wrong or certified already, where there is a budget, after Ctrl-C, and
    where its calls of the gradient would be many beside the evaluations of the cost.

    Parameters
    ----------
    spec, engines, run : the check
    found, outcome : what came of it
    z : the quantile of bounds
    """
    from fastgrad.witnesses.functions import Functions
    from fastgrad.witnesses.path_integral import CALLS, path_witness

    decided = found.comparison.wrong.any() or outcome.certificate is not None
    few = run.evaluations < PATH_SHARE * CALLS or engines.engine.incremental
    limited = run.budget.limited or bool(run.budget.stopped)
    if decided or limited or few or spec.options.tolerance is not None:
        return ""
    sigma = max((s for s in found.noise.values() if s == s), default=float("inf"))
    functions = Functions(spec.problem, spec.parameters, spec.options.vectorized)

    def asked() -> str:
        return path_witness(functions, sigma=sigma, z=z, seed=spec.options.seed)

    return _said(asked, functions, run) or ""


def _said(ask: Callable[[], _Answered], functions: Functions, run: Run) -> _Answered | None:
    """What a witness says, whose evaluations count; None after Ctrl-C, which ends the check."""
    try:
        return ask()
    except KeyboardInterrupt:
        run.budget.stop(INTERRUPTED)
        return None
    finally:
        run.budget.spend(functions.evaluations)
