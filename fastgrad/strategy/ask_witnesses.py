"""Independent tests of a gradient, asked after the differences: the complex step and the path integral."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fastgrad.arrays import Floats, IndexArray
from fastgrad.coordinates.calibration import Calibration
from fastgrad.coordinates.derivatives import Derivatives, Measured
from fastgrad.differences.rulings import Reason
from fastgrad.differences.stencils import COMPLEX_STEP
from fastgrad.options import Options
from fastgrad.problem.parameters import Parameters
from fastgrad.problem.problem import Problem
from fastgrad.witnesses.analytic_arrays import complex_derivatives, why_not_analytic
from fastgrad.witnesses.complex_step import DIRECTIONS, by_complex_witness, directions, some_of_each_block
from fastgrad.witnesses.path_integral import CALLS, path_witness

LARGEST_ASKED = 2**22
"""Parameters up to which the complex step is asked: it takes three copies of them."""

COPIED = 2**27
"""Numbers that are copied at most to ask the witness: it gets fresh parameters for each coordinate."""

NOT_ASKED = "the complex step was not asked for the undecided coordinates: "


@dataclass(frozen=True)
class Heard:
    """What came of asking the complex step: a sentence for the report, empty where it was not asked."""

    sentence: str = ""
    evaluations: int = 0


def hear_complex_witness(
    problem: Problem, view: Derivatives, options: Options, cost: float, survey: Calibration, z: float
) -> Heard:
    """Ask the complex step for what differences left undecided, if it is believed."""
    engine, parameters, measured = view.engine, view.parameters, view.measured
    comparison = view.judge()
    lost = measured.kink | (measured.reason == Reason.NOT_FINITE)
    plain = engine.name != "network" and engine.dtype is np.float64 and options.tolerance is None
    if not plain or view.claim is None or not comparison.undecided.any():
        return Heard()
    wanted = np.flatnonzero(comparison.undecided & ~lost)
    decided = np.flatnonzero(~comparison.undecided & ~comparison.wrong)
    if not len(wanted):
        return Heard()
    doubt = why_not_analytic(problem.cost, parameters, problem.args, options.vectorized)
    if doubt:
        return Heard(NOT_ASKED + doubt)
    some = decided[some_of_each_block(parameters, view.indices[decided])]
    estimates = view.estimates()
    wanted = wanted[: max(1, COPIED // parameters.size)]

    def derivatives(indices: IndexArray) -> tuple[Floats, Floats]:
        of = (problem.cost, parameters, problem.args, indices, COMPLEX_STEP, options.vectorized)
        return complex_derivatives(*of)

    found = by_complex_witness(
        derivatives,
        directions(problem, parameters, options.seed, options.vectorized),
        cost,
        view.indices[some],
        estimates.numeric[some],
        estimates.error_bound[some],
        view.indices[wanted],
        sigma=float(np.nanmax(survey.constant)),
        z=z,
    )
    if found.doubt:
        return Heard(NOT_ASKED + found.doubt)
    measured.numeric[wanted], measured.error_bound[wanted] = found.numeric, found.error_bound
    measured.version += 1
    still = int(view.judge().undecided.sum())
    return Heard(
        f"the complex step decided {int(comparison.undecided.sum()) - still:,} coordinates that differences "
        f"could not; it agreed with them along {DIRECTIONS} random directions and at {len(some)} decided "
        "coordinates",
        found.evaluations,
    )


PATH_SHARE = 20
"""The path integral is taken where the cost was evaluated so many times more often than it calls the
gradient, whose price is that of a few evaluations; not for a Network, whose evaluations cost next to none."""


def path_sentence(problem: Problem, parameters: Parameters, found: Measured, options: Options) -> str:
    """What the path integral says, where its gradient calls are few beside the evaluations made already."""
    few = found.evaluations < PATH_SHARE * CALLS or found.engine.name == "network"
    if few or options.tolerance is not None:
        return ""
    sigma = max((s for s in found.noise.values() if s == s), default=float("inf"))
    return path_witness(
        problem, parameters, sigma=sigma, z=found.z, seed=options.seed, vectorized=options.vectorized
    )
