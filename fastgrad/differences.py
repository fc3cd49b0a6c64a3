"""Plan, engine, survey, values, stages: the numerical side of a check, and all of a numerical gradient."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from fastgrad.analytic import complex_derivatives, why_not_analytic
from fastgrad.bounds import Estimates, carried, quantile
from fastgrad.causes import Causes
from fastgrad.claims import Claim
from fastgrad.engines.base import Engine
from fastgrad.engines.choose import choose_engine
from fastgrad.ladder import Reason
from fastgrad.measured import Measured
from fastgrad.options import Options
from fastgrad.parallel import choose_workers
from fastgrad.parameters import IndexArray, Parameters
from fastgrad.preflight import Start, args_unchanged, check_complex_step, check_cost
from fastgrad.problem import Problem
from fastgrad.progress import announced, progress_bar
from fastgrad.refine import refine
from fastgrad.sampler import Sampler
from fastgrad.stages import Stages
from fastgrad.stencils import CENTRAL, COMPLEX_STEP, find_stencil
from fastgrad.steps import given_steps, make_plan
from fastgrad.survey import Survey, survey_blocks
from fastgrad.verdict import Comparison, compare
from fastgrad.witness import DIRECTIONS, by_complex_witness, directions, some_of_each_block

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Differences:
    """What was measured, of the user's coordinates, whatever was moved."""

    start: Start
    engine: Engine
    estimates: Estimates
    comparison: Comparison
    causes: Causes
    noise: dict[str, float]
    evaluations: int
    n_jobs: int
    notes: tuple[str, ...]
    witnesses: tuple[str, ...]
    z: float


def difference(
    problem: Problem,
    parameters: Parameters,
    indices: IndexArray,
    options: Options,
    claim: Claim | None,
) -> Differences:
    """Measure the derivatives at some coordinates, each as far as it takes to judge the claim.

    Without a claim a coordinate is measured until its own bound would let a claim be judged.
    """
    stencil = find_stencil(options.method)
    engine = choose_engine(
        problem, parameters, stencil, options.engine, options.vectorized, options.perturb, indices
    )
    choose_workers(engine, options.n_jobs, options.backend)  # an unknown backend is refused now
    given = given_steps(options.step, engine.space.parameters)
    moved = engine.space.needed(indices)
    if given:
        make_plan(
            engine.space.parameters, moved, stencil, options.step
        )  # a step that vanishes is refused now
    with args_unchanged(problem.args, "cost"):
        with announced(engine.preparation, options.progress):
            start = check_cost(engine)
        in_reals = engine
        if stencil.is_complex:
            in_reals = choose_engine(problem, parameters, CENTRAL, "auto", options.vectorized)
            check_complex_step(engine, in_reals, make_plan(parameters, indices, stencil, options.step))
    epsilon = in_reals.epsilon or float(np.finfo(np.float64).eps)
    sample = Sampler(in_reals, start.seconds, options.n_jobs, options.backend)
    survey = survey_blocks(
        sample,
        engine.space.parameters,
        moved,
        stencil,
        given,
        f0=start.cost - in_reals.origin,
        cost=start.cost,
        from_origin=in_reals.origin != 0,
        epsilon=epsilon,
        seed=options.seed,
    )
    steps = survey.step if stencil is CENTRAL else None
    plan = make_plan(engine.space.parameters, moved, stencil, options.step, steps)
    with progress_bar(len(plan.indices), options.progress) as advance:
        by_engine = (
            sample if in_reals is engine else Sampler(engine, start.seconds, options.n_jobs, options.backend)
        )
        values = by_engine(plan.indices, plan.displacements, advance)
    stages = Stages(
        sample, engine.space.parameters, survey, start.cost - in_reals.origin, quantile(len(indices))
    )
    measured = stages.screen(plan, values)
    del plan, values  # the most memory of all
    view = _View(engine, parameters, indices, measured, claim, options.tolerance)
    if options.tolerance is None:
        groups, thorough = parameters.block_numbers(indices), claim is None and not stencil.is_complex
        refine(stages, measured, view.judge, view.needed, groups, options.seed, thorough)
        if not stencil.is_complex:
            stages.tame(measured)
    heard = _hear_complex_witness(problem, view, options, start.cost, survey, stages.z)
    return Differences(
        start=start,
        engine=engine,
        estimates=view.estimates(),
        comparison=view.judge(),
        causes=Causes.of(in_reals, measured),
        noise=survey.noise(engine.space.parameters),
        evaluations=start.evaluations
        + sample.evaluations
        + (0 if by_engine is sample else by_engine.evaluations)
        + heard.evaluations,
        n_jobs=max(sample.most_workers, by_engine.most_workers),
        witnesses=(heard.sentence,) * bool(heard.sentence),
        z=stages.z,
        notes=start.notes + engine.notes + survey.notes + by_engine.notes + tuple(measured.notes),
    )


COPIED = 2**27
"""Numbers that are copied at most to ask the witness: it gets fresh parameters for each coordinate."""

NOT_ASKED = "the complex step was not asked for the undecided coordinates: "


@dataclass(frozen=True)
class _Heard:
    """What came of asking the complex step: a sentence for the report, empty where it was not asked."""

    sentence: str = ""
    evaluations: int = 0


def _hear_complex_witness(
    problem: Problem, view: _View, options: Options, cost: float, survey: Survey, z: float
) -> _Heard:
    """Ask the complex step for what differences left undecided, if it is believed."""
    engine, parameters, measured = view.engine, view.parameters, view.measured
    comparison = view.judge()
    lost = measured.kink | (measured.reason == Reason.NOT_FINITE)
    plain = engine.name != "network" and engine.dtype is np.float64 and options.tolerance is None
    if not plain or view.claim is None or not comparison.undecided.any():
        return _Heard()
    wanted = np.flatnonzero(comparison.undecided & ~lost)
    decided = np.flatnonzero(~comparison.undecided & ~comparison.wrong)
    if not len(wanted):
        return _Heard()
    doubt = why_not_analytic(problem.cost, parameters, problem.args, options.vectorized)
    if doubt:
        return _Heard(NOT_ASKED + doubt)
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
        return _Heard(NOT_ASKED + found.doubt)
    measured.numeric[wanted], measured.error_bound[wanted] = found.numeric, found.error_bound
    measured.version += 1
    still = int(view.judge().undecided.sum())
    return _Heard(
        f"the complex step decided {int(comparison.undecided.sum()) - still:,} coordinates that differences "
        f"could not; it agreed with them along {DIRECTIONS} random directions and at {len(some)} decided "
        "coordinates",
        found.evaluations,
    )


@dataclass(frozen=True, eq=False)
class _View:
    """What was measured of the moved coordinates, seen from the user's."""

    engine: Engine
    parameters: Parameters
    indices: IndexArray
    measured: Measured
    claim: Claim | None
    tolerance: float | None
    seen: dict[str, Any] = field(default_factory=dict)
    """The latest estimates and verdict, and of which version of `measured` they are."""

    def estimates(self) -> Estimates:
        """The user's derivatives, from what is known of the moved ones as it stands."""
        return self._latest()[0]

    def judge(self) -> Comparison:
        """The verdict as it stands. Without a claim the estimate is its own: what counts is its bound."""
        return self._latest()[1]

    def _latest(self) -> tuple[Estimates, Comparison]:
        if self.seen.get("version") != self.measured.version:
            self.seen.clear()  # as large as what takes its place
            found = self._estimates()
            claimed = np.nan_to_num(found.numeric) if self.claim is None else self.claim.values
            comparison = compare(claimed, found, self.indices, self.parameters, self.tolerance)
            self.seen.update(version=self.measured.version, latest=(found, comparison))
        latest: tuple[Estimates, Comparison] = self.seen["latest"]
        return latest

    def _estimates(self) -> Estimates:
        m = self.measured
        numeric, bound, rms = carried(
            m.numeric, m.error_bound, m.plan.indices, self.engine.space, self.parameters, self.indices
        )
        if self.claim is not None and self.claim.jitter.any():
            bound = bound + self.claim.jitter  # what the claim itself is not known to
        return Estimates(numeric, bound, rms, m.plan.stencil.is_complex, m.steepest)

    def needed(self, positions: IndexArray) -> IndexArray:
        """The positions among the moved coordinates that some of the user's depend on."""
        if len(positions) == 0:
            return positions
        moved = self.engine.space.needed(self.indices[positions])
        return np.searchsorted(self.measured.plan.indices, moved)
