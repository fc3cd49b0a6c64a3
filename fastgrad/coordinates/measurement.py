"""Plan, engine, survey, values, stages: the numerical side of a check, and all of a numerical gradient."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from fastgrad.arrays import IndexArray
from fastgrad.coordinates.calibration import CALIBRATED, Calibration, calibrate
from fastgrad.coordinates.derivatives import Derivatives, Measured
from fastgrad.coordinates.escalation import refine
from fastgrad.coordinates.live_count import LiveCount
from fastgrad.coordinates.stages import Stages
from fastgrad.coordinates.table import CoordinateTable
from fastgrad.coordinates.undecided import Causes
from fastgrad.differences.bounds import quantile
from fastgrad.differences.plan import given_steps, make_plan
from fastgrad.differences.stencils import CENTRAL, find_stencil
from fastgrad.engines.choose import choose_engine
from fastgrad.engines.protocol import Engine
from fastgrad.execution.budget import Budget
from fastgrad.execution.checkpoint import Checkpoint, NoCheckpoint
from fastgrad.execution.evaluator import Evaluator
from fastgrad.execution.progress import Progress, announced
from fastgrad.execution.workers import choose_workers
from fastgrad.index_sets import common, positions_of, union, without
from fastgrad.options import Options
from fastgrad.preflight.complex_step import check_complex_step
from fastgrad.preflight.cost import check_cost
from fastgrad.problem.arguments import args_unchanged
from fastgrad.problem.claim import ClaimedGradient
from fastgrad.problem.parameters import Parameters
from fastgrad.problem.problem import Problem
from fastgrad.strategy.ask_witnesses import LARGEST_ASKED, Heard, hear_complex_witness


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
        self.survey: Calibration | None = None
        self.view: Derivatives | None = None
        self.heard = Heard()
        self.others: list[Evaluator] = []  # that evaluate along directions
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
    def known(self) -> Derivatives:
        """What is known so far."""
        if self.view is None:
            raise RuntimeError("nothing was measured yet")
        return self.view

    def look_around(self, indices: IndexArray, probes: int = CALIBRATED) -> None:
        """Measure what the blocks of some of the user's coordinates are like: noise, step, truncation.

        `probes` coordinates of each are looked at; with none, one for all blocks.
        """
        self.survey = calibrate(
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
        self,
        indices: IndexArray,
        claim: ClaimedGradient | None,
        vouched: bool = False,
        tally: Progress | None = None,
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

    def _take_over(
        self, screened: CoordinateTable | None, indices: IndexArray, claim: ClaimedGradient | None
    ) -> None:
        if self.view is None:
            assert screened is not None
            said = None if claim is None else claim.at(indices)
            self.view = Derivatives(
                self.engine, self.parameters, indices, screened, said, self.options.tolerance
            )
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
        self, stages: Stages, moved: IndexArray, claim: ClaimedGradient | None, tally: Progress | None
    ) -> tuple[CoordinateTable, IndexArray]:
        """The first values of moved coordinates, and of which of them there are any."""
        assert self.survey is not None
        steps = self.survey.step if self.stencil is CENTRAL else None
        plan = make_plan(self.moved_parameters, moved, self.stencil, self.options.step, steps)
        tally, watch = tally or Progress(False), None
        if tally.shown and claim is not None and self.engine.space.is_plain:
            watch = LiveCount(stages, plan, claim.at(moved), self.parameters, tally)
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

    def finish(self) -> Measured:
        """What is known in the end; without a budget the complex step is asked for what is undecided."""
        view = self.known
        stages = self.stages(0)
        if self.options.tolerance is None and not self.stencil.is_complex and not self.budget.stopped:
            stages.tame(view.measured)
        small = self.parameters.size <= LARGEST_ASKED
        if small and not self.budget.limited and not self.budget.stopped:  # it takes what it takes
            assert self.survey is not None
            self.heard = hear_complex_witness(
                self.problem, view, self.options, self.cost, self.survey, self.z
            )
        return self.result()

    def result(self) -> Measured:
        """What is known as it stands, having seen that the cost left its parameters alone."""
        view = self.known
        for engine in (self.engine, self.in_reals, *(sample.engine for sample in self.others)):
            engine.finish()
        assert self.survey is not None
        return Measured(
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

    def _sampler(self, engine: Engine) -> Evaluator:
        how = (self.options.n_jobs, self.options.backend, self.budget, self.keeper)
        return Evaluator(engine, self.start.seconds, *how)

    def _engine_in_reals(self, indices: IndexArray) -> Engine:
        if not self.stencil.is_complex:
            return self.engine
        options = self.options
        in_reals = choose_engine(self.problem, self.parameters, CENTRAL, "auto", options.vectorized)
        some = indices if len(indices) <= EXAMINED else indices[:: len(indices) // EXAMINED]
        plan = make_plan(self.parameters, some, self.stencil, options.step)
        self.examined = check_complex_step(self.engine, in_reals, plan)
        return in_reals


EXAMINED = 2**16
"""Coordinates from which those are taken at which the complex step is examined."""
