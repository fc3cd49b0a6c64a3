"""Plan, engine, survey, values, stages: the numerical side of a check, and all of a numerical gradient."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from fastgrad.analytic import complex_derivatives, why_not_analytic
from fastgrad.bounds import Estimates, carried, quantile
from fastgrad.budget import Budget
from fastgrad.causes import Causes
from fastgrad.checkpoint import Checkpoint, NoCheckpoint
from fastgrad.claims import Claim, WholeClaim
from fastgrad.engines.base import Engine
from fastgrad.engines.choose import choose_engine
from fastgrad.ladder import Reason
from fastgrad.measured import CONFIRMED, Measured
from fastgrad.options import Options
from fastgrad.ordered import common, positions_of, union, without
from fastgrad.parallel import choose_workers
from fastgrad.parameters import IndexArray, Parameters
from fastgrad.preflight import Start, args_unchanged, check_complex_step, check_cost
from fastgrad.problem import Problem
from fastgrad.progress import Tally, announced
from fastgrad.provisional import Provisional
from fastgrad.refine import refine
from fastgrad.sampler import Sampler
from fastgrad.stages import Stages
from fastgrad.stencils import CENTRAL, COMPLEX_STEP, find_stencil
from fastgrad.steps import given_steps, make_plan
from fastgrad.survey import PROBES, Survey, survey_blocks
from fastgrad.verdict import Comparison, compare
from fastgrad.witness import DIRECTIONS, by_complex_witness, directions, some_of_each_block

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Differences:
    """What was measured, of the user's coordinates, whatever was moved."""

    start: Start
    engine: Engine
    indices: IndexArray
    claim: Claim | None
    estimates: Estimates
    comparison: Comparison
    causes: Causes
    noise: dict[str, float]
    evaluations: int
    n_jobs: int
    notes: tuple[str, ...]
    witnesses: tuple[str, ...]
    z: float


class Measurement:
    """A problem while it is being measured: its engine, its workers, and what is known of each coordinate.

    Parameters
    ----------
    problem, parameters, options : what is checked, and how
    indices : (m,) those of the user's coordinates that the engine is chosen for
    budget : what may be spent
    keeper : where finished values are kept
    """

    def __init__(
        self,
        problem: Problem,
        parameters: Parameters,
        options: Options,
        indices: IndexArray,
        budget: Budget | None = None,
        keeper: NoCheckpoint | Checkpoint | None = None,
    ) -> None:
        self.problem, self.parameters, self.options = problem, parameters, options
        self.some = indices
        self.budget, self.keeper = budget or Budget(), keeper or NoCheckpoint()
        self.stencil = find_stencil(options.method)
        self.examined = 0  # evaluations of the complex step's examination
        chosen = (options.engine, options.vectorized, options.perturb, indices)
        self.engine = choose_engine(problem, parameters, self.stencil, *chosen)
        choose_workers(self.engine, options.n_jobs, options.backend)  # an unknown backend is refused now
        self.given = given_steps(options.step, self.moved_parameters)
        if self.given:  # a step that vanishes is refused now
            moved = self.engine.space.needed(indices)
            make_plan(self.moved_parameters, moved, self.stencil, options.step)
        with args_unchanged(problem.args, "cost"), announced(self.engine.preparation, options.progress):
            self.start = check_cost(self.engine)
            self.in_reals = self._engine_in_reals(indices)
        self.start = replace(self.start, evaluations=self.start.evaluations + self.examined)
        self.budget.spend(self.start.evaluations)
        self.cost = self.keeper.remember("cost", lambda: self.start.cost)
        self.sample = self._sampler(self.in_reals)
        self.by_engine = self.sample if self.in_reals is self.engine else self._sampler(self.engine)
        self.survey: Survey | None = None
        self.view: _View | None = None
        self.heard = _Heard()
        self.others: list[Sampler] = []  # that evaluate along directions
        self.z = 0.0

    @property
    def moved_parameters(self) -> Parameters:
        """What is moved, as named blocks."""
        return self.engine.space.parameters

    @property
    def evaluations(self) -> int:
        """How many were made so far."""
        others = 0 if self.by_engine is self.sample else self.by_engine.evaluations
        others += sum(sample.evaluations for sample in self.others)
        return self.start.evaluations + self.sample.evaluations + others + self.heard.evaluations

    @property
    def known(self) -> _View:
        """What is known so far."""
        if self.view is None:
            raise RuntimeError("nothing was measured yet")
        return self.view

    def look_around(self, indices: IndexArray, probes: int = PROBES) -> None:
        """Measure what the blocks of some of the user's coordinates are like: noise, step, truncation.

        `probes` coordinates of each are looked at; with none, one for all blocks.
        """
        self.survey = survey_blocks(
            self.sample,
            self.moved_parameters,
            self.engine.space.needed(indices),
            self.stencil,
            self.given,
            f0=self.f0,
            cost=self.cost,
            from_origin=self.in_reals.origin != 0,
            epsilon=self.in_reals.epsilon or float(np.finfo(np.float64).eps),
            seed=self.options.seed,
            probes=probes,
        )

    def measure(
        self, indices: IndexArray, claim: WholeClaim | None, vouched: bool = False, tally: Tally | None = None
    ) -> None:
        """Measure some more of the user's coordinates, each as far as it takes to judge the claim.

        Without a claim a coordinate is measured until its own bound would let a claim be judged. `vouched`
        says that a probe singled these out; `tally` is told of values as they come.
        """
        if self.survey is None:
            self.look_around(indices)
        moved = self.engine.space.needed(indices)
        if self.view is not None:
            moved = without(moved, self.view.measured.plan.indices)
        stages = self.stages(len(indices))
        if len(moved) or self.view is None:
            screened, moved = self._screen(stages, moved, claim, tally)
            screened.vouched[:] = vouched
            if self.engine.space.is_plain:  # what was not reached is left out
                indices = common(indices, moved) if len(moved) < len(indices) else indices
            self._take_over(screened, indices, claim)
        else:
            self._take_over(None, indices, claim)
        self._refine(stages, indices)

    def _take_over(self, screened: Measured | None, indices: IndexArray, claim: WholeClaim | None) -> None:
        if self.view is None:
            assert screened is not None
            said = None if claim is None else claim.at(indices)
            self.view = _View(self.engine, self.parameters, indices, screened, said, self.options.tolerance)
            return
        if screened is not None:
            self.view.measured.extend(screened)
        self.view.indices = union(self.view.indices, indices)
        self.view.claim = None if claim is None else claim.at(self.view.indices)
        self.view.measured.version += 1

    def stages(self, count: int) -> Stages:
        """The stages, with bounds that hold for so many coordinates more than are known."""
        assert self.survey is not None
        before = 0 if self.view is None else len(self.view.indices)
        self.z = quantile(before + count)
        return Stages(self.sample, self.moved_parameters, self.survey, self.f0, self.z, self._room)

    def _screen(
        self, stages: Stages, moved: IndexArray, claim: WholeClaim | None, tally: Tally | None
    ) -> tuple[Measured, IndexArray]:
        """The first values of moved coordinates, and of which of them there are any."""
        assert self.survey is not None
        steps = self.survey.step if self.stencil is CENTRAL else None
        plan = make_plan(self.moved_parameters, moved, self.stencil, self.options.step, steps)
        tally, watch = tally or Tally(False), None
        if tally.shown and claim is not None and self.engine.space.is_plain:
            watch = Provisional(stages, plan, claim.at(moved), self.parameters, tally)
        values, known = self.by_engine.as_far_as_possible(
            plan.indices, plan.displacements, tally.advance, watch
        )
        if not known.all() and self.engine.space.is_plain:
            reached = np.flatnonzero(known) if known.any() else np.zeros(1, dtype=np.intp)
            plan, values = plan.of(reached), values[reached]
        return stages.screen(plan, values), plan.indices

    def _refine(self, stages: Stages, indices: IndexArray) -> None:
        view, options = self.known, self.options
        if options.tolerance is not None:
            return
        groups = self.parameters.block_numbers(view.indices)
        thorough = view.claim is None and not self.stencil.is_complex
        only = None if len(indices) == len(view.indices) else positions_of(view.indices, indices)
        refine(stages, view.measured, view.judge, view.needed, groups, options.seed, thorough, only)

    def finish(self) -> Differences:
        """What is known in the end; without a budget the complex step is asked for what is undecided."""
        view = self.known
        stages = self.stages(0)
        if self.options.tolerance is None and not self.stencil.is_complex and not self.budget.stopped:
            stages.tame(view.measured)
        small = self.parameters.size <= LARGEST_ASKED
        if small and not self.budget.limited and not self.budget.stopped:  # it takes what it takes
            assert self.survey is not None
            self.heard = _hear_complex_witness(
                self.problem, view, self.options, self.cost, self.survey, self.z
            )
        return self.result()

    def result(self) -> Differences:
        """What is known as it stands, having seen that the cost left its parameters alone."""
        view = self.known
        for engine in (self.engine, self.in_reals, *(sample.engine for sample in self.others)):
            engine.finish()
        assert self.survey is not None
        return Differences(
            start=self.start,
            engine=self.engine,
            indices=view.indices,
            claim=view.claim,
            estimates=view.estimates(),
            comparison=view.judge(),
            causes=Causes.of(self.in_reals, view.measured),
            noise=self.noise,
            evaluations=self.evaluations,
            n_jobs=max(s.most_workers for s in (self.sample, self.by_engine, *self.others)),
            witnesses=(self.heard.sentence,) * bool(self.heard.sentence),
            z=self.z,
            notes=self.start.notes
            + self.engine.notes
            + self.survey.notes
            + self.by_engine.notes
            + tuple(view.measured.notes),
        )

    @property
    def noise(self) -> dict[str, float]:
        """The standard deviation of a value at each block's step, by block name."""
        assert self.survey is not None
        return self.survey.noise(self.moved_parameters)

    @property
    def f0(self) -> float:
        """The cost at the parameters, counted as values are."""
        return float(self.cost) - self.in_reals.origin

    def _room(self, evaluations: int) -> float:
        if not self.budget.limited and not self.budget.stopped:
            return float("inf")
        return self.budget.left(self.sample.seconds_each) / evaluations

    def _sampler(self, engine: Engine) -> Sampler:
        how = (self.options.n_jobs, self.options.backend, self.budget, self.keeper)
        return Sampler(engine, self.start.seconds, *how)

    def _engine_in_reals(self, indices: IndexArray) -> Engine:
        if not self.stencil.is_complex:
            return self.engine
        options = self.options
        in_reals = choose_engine(self.problem, self.parameters, CENTRAL, "auto", options.vectorized)
        some = indices if len(indices) <= EXAMINED else indices[:: len(indices) // EXAMINED]
        plan = make_plan(self.parameters, some, self.stencil, options.step)
        self.examined = check_complex_step(self.engine, in_reals, plan)
        return in_reals


LARGEST_ASKED = 2**22
"""Parameters up to which the complex step is asked: it takes three copies of them."""

EXAMINED = 2**16
"""Coordinates from which those are taken at which the complex step is examined."""


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


@dataclass(eq=False)
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
            comparison = self._cut_short(comparison)
            self.seen.update(version=self.measured.version, latest=(found, comparison))
        latest: tuple[Estimates, Comparison] = self.seen["latest"]
        return latest

    def _cut_short(self, comparison: Comparison) -> Comparison:
        """What looks wrong but was not confirmed, for the budget was over, is undecided."""
        cut = self.measured.cut & (self.measured.level < CONFIRMED)
        if not cut.any():
            return comparison
        if self.engine.space.is_plain:
            cut = cut[self.needed(np.arange(len(self.indices)))]
        else:
            cut = np.full(len(self.indices), True)
        unsure = comparison.wrong & cut & np.isfinite(comparison.severity)
        return replace(comparison, wrong=comparison.wrong & ~unsure, undecided=comparison.undecided | unsure)

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
        at = positions_of(self.measured.plan.indices, moved)
        return np.arange(at.start, at.stop) if isinstance(at, slice) else at
