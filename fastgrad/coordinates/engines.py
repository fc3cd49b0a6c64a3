"""The engines of a check, seen to evaluate the cost before anything is measured.

`vetted_engines` chooses them, makes the plain checks of the cost, and hands on `Engines`: two evaluators and
the cost at the parameters. All later stages evaluate through these.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastgrad.arrays import IndexArray
from fastgrad.differences.plan import given_steps, make_plan
from fastgrad.differences.stencils import CENTRAL, Stencil
from fastgrad.engines.choose import choose_engine
from fastgrad.engines.protocol import Engine
from fastgrad.engines.space import Space
from fastgrad.engines.traced.worth import EACH, is_worth_recording
from fastgrad.execution.evaluator import Evaluator
from fastgrad.execution.progress import announced
from fastgrad.execution.run import Run
from fastgrad.execution.workers import choose_workers
from fastgrad.preflight.complex_step import EVALUATIONS, OF_EACH_BLOCK, check_complex_step
from fastgrad.preflight.cost import LARGEST_JITTER, Baseline, check_cost
from fastgrad.preflight.looks import Looks
from fastgrad.problem.arguments import args_unchanged
from fastgrad.problem.parameters import Parameters
from fastgrad.specification import Specification

NOT_COMPARED = "the budget had no room to compare the complex step with central differences"

EXAMINED = 2**16
"""Coordinates from which those are taken at which the complex step is compared with central differences."""


@dataclass(frozen=True, eq=False)
class Engines:
    """What evaluates the cost, and what it gave at the parameters."""

    stencil: Stencil
    by_stencil: Evaluator
    """At the points of the stencil, which are complex for the complex step."""
    in_reals: Evaluator
    """At real points. The same evaluator, except for the complex step."""
    given_steps: Mapping[str, float]
    """The steps that the user fixed, by block name."""
    cost: float
    seconds: float
    """What one evaluation was seen to take."""
    baseline_notes: tuple[str, ...] = ()

    @property
    def engine(self) -> Engine:
        """The engine that evaluates the stencil."""
        return self.by_stencil.engine

    @property
    def space(self) -> Space:
        """What the engine moves."""
        return self.engine.space

    @property
    def moved(self) -> Parameters:
        """What the engine moves, as blocks."""
        return self.space.parameters

    @property
    def f0(self) -> float:
        """The cost at the parameters, counted from the origin that values are counted from."""
        return float(self.cost) - self.in_reals.engine.origin

    @property
    def epsilon(self) -> float:
        """Machine epsilon of what the cost returns."""
        return self.in_reals.engine.epsilon or float(np.finfo(np.float64).eps)

    @property
    def notes(self) -> tuple[str, ...]:
        """What the report is to say of how the cost is evaluated."""
        return self.baseline_notes + self.engine.notes

    def finish(self) -> None:
        """See that the cost left its parameters alone at all perturbed points."""
        self.engine.finish()
        self.in_reals.engine.finish()


def vetted_engines(spec: Specification, run: Run, indices: IndexArray, looks: Looks | None = None) -> Engines:
    """The engines for a check, having seen that the cost can be differenced.

    Parameters
    ----------
    spec : Specification
    run : Run
    indices : (m,) those of the user's coordinates that the engine is chosen for
    looks : the first looks that were taken already

    Raises
    ------
    InputError
        For an engine, a backend or a step that does not fit, for a cost that cannot be differenced, and for a
        checkpoint of another cost.
    """
    options = spec.options
    engine = choose_engine(
        spec.problem,
        spec.parameters,
        spec.stencil,
        options.engine,
        options.vectorized,
        options.perturb,
        indices,
    )
    choose_workers(engine, run.n_jobs, run.backend)  # an unknown backend is refused now
    moved = engine.space.parameters
    steps = given_steps(options.step, moved)
    if steps:  # a step that vanishes is refused now
        make_plan(moved, engine.space.needed(indices), spec.stencil, options.step)
    with args_unchanged(engine.args, "cost", run.note), announced(engine.preparation, options.progress):
        baseline = check_cost(engine, Looks(run) if looks is None else looks)
        run.budget.spend(baseline.evaluations)
        epsilon = engine.epsilon or float(np.finfo(np.float64).eps)
        cost = run.resumption.cost(run.checkpoint, baseline.cost, LARGEST_JITTER, epsilon)
        engine, seconds = _recorded_instead(spec, run, engine, baseline.seconds, len(indices))
        in_reals = _engine_in_reals(spec, run, engine, baseline, indices)
    by_stencil = Evaluator(engine, seconds, run)
    real = by_stencil if in_reals is engine else Evaluator(in_reals, seconds, run)
    return Engines(spec.stencil, by_stencil, real, steps, cost, baseline.seconds, baseline.notes)


def _recorded_instead(
    spec: Specification, run: Run, engine: Engine, seconds: float, count: int
) -> tuple[Engine, float]:
    """The engine for a recorded cost where that is faster, and what an evaluation takes.

    Both decisions depend on the clock. A check that goes on from a checkpoint takes what its first run took:
    the values of another engine are no use to it.
    """
    if spec.options.engine != "auto" or engine.name != "python" or run.plain_because:
        return engine, seconds
    room = run.budget.left(seconds) / EACH if run.budget.limited else count
    worth = run.checkpoint.remember(
        f"worth recording{run.budget.limits}", lambda: is_worth_recording(seconds, min(count, room))
    )
    if not worth:
        return engine, seconds
    from fastgrad.engines.traced.choose import faster_engine

    seed, found = spec.options.seed, []

    def chosen() -> list[Any]:
        taken, made, each = faster_engine(engine, seconds, seed)
        found.append((taken, each))
        return [taken is not engine, made, list(engine.notes)]

    recorded, made, notes = run.checkpoint.remember("recorded", chosen)
    run.budget.spend(made)
    if found:
        return found[0]
    engine.notes = tuple(notes)  # of the earlier run, which has chosen
    if not recorded:
        return engine, seconds
    taken, _, each = faster_engine(engine, seconds, seed, taken_before=True)
    return taken, each


def _engine_in_reals(
    spec: Specification, run: Run, engine: Engine, baseline: Baseline, indices: IndexArray
) -> Engine:
    """The engine for real points; under the complex step another one, with which it is compared first."""
    if not spec.stencil.is_complex:
        return engine
    in_reals = choose_engine(spec.problem, spec.parameters, CENTRAL, "auto", spec.options.vectorized)
    some = indices if len(indices) <= EXAMINED else indices[:: len(indices) // EXAMINED]
    plan = make_plan(spec.parameters, some, spec.stencil, spec.options.step)
    of_each = _affordable(spec.parameters, run, baseline.seconds, some)
    if of_each:
        run.budget.spend(check_complex_step(engine, in_reals, plan, of_each))
    else:  # its derivatives would not be believed
        run.budget.stop(NOT_COMPARED)
    return in_reals


def _affordable(parameters: Parameters, run: Run, seconds: float, some: IndexArray) -> int:
    """At how many coordinates of each block there is room to compare the complex step; 0 for none."""
    for of_each in range(OF_EACH_BLOCK, 0, -1):
        evaluations = EVALUATIONS * len(parameters.few_of_each_block(some, of_each))
        if run.allows(evaluations * seconds, evaluations):
            return of_each
    return 0
