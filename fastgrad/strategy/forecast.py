"""What a check will take, before it begins: evaluations, and seconds from the measured time of one.

`strategy.run` asks for a `Forecast`, and `decide` chooses by it what is checked.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fastgrad.arrays import IndexArray
from fastgrad.coordinates.block_calibration import CALIBRATED
from fastgrad.coordinates.engines import Engines
from fastgrad.coordinates.two_scales import EVERY
from fastgrad.execution.run import Run
from fastgrad.execution.workers import choose_workers
from fastgrad.index_sets import distinct
from fastgrad.problem.block import Block
from fastgrad.problem.parameters import Parameters
from fastgrad.specification import Specification

EACH = 2.5
"""Evaluations of a coordinate on average: 2.3 for a smooth cost, 3 with kinks
(tests/coordinates/test_escalation.py)."""

CALIBRATING = 30
"""Evaluations that calibrate a block at one of its coordinates, where an engine propagates changes: 8 to 33
by kind of cost. Six blocks of a tanh network took 710, at four coordinates each."""

SET_UP = 60
"""Evaluations that calibrate all coordinates of any other engine, and that random directions take: 27 to
108 for the noise, 16 to 40 for the directions."""

SECOND_SCALES = 256
"""Evaluations at a second scale, at most, of a few coordinates of each group: 4 or 8 for each of 8, of 4 to 8
groups."""

EACH_OF_FEW = 4.2
"""Evaluations of a coordinate where each is measured at two scales."""

CONFIRMING = 72
"""Evaluations that are kept back of a budget, to confirm the few coordinates that are most clearly wrong."""

UNSURE = 8
"""Evaluations of a coordinate whose block was not calibrated: it has to show its own truncation error."""

EFFICIENCY = 0.9
"""What of each further worker is gained (benchmarks/bench_engines.py: 0.84 to 0.98)."""

PILOTS = (64, 4096)
"""Coordinates of an incremental engine that are timed, the second number where the first makes the check look
long. The price of one falls when many that lead to one unit are asked for at once, for values are then read
off tables."""

LONG = 20.0
"""Seconds of predicted work from which the large pilot is timed: fewer than PATIENCE in decide.py, for the
small pilot predicts too much."""

LONG_WITH_BUDGET = 2.0
"""LONG for checks with a budget: time the large pilot already from 2 s of work, since the price decides how
the budget is spent."""

RETIMED_FROM = 10.0
"""Seconds of predicted work from which a quick cost is timed again: its first evaluation may have met a
hiccup, and what is checked must not depend on one."""

FEW_BLOCKS, SECONDS_OF_A_BLOCK = 1000, 5e-6
"""Blocks up to which to move all of them takes no time that counts, and what each takes of more: 10^5 took
0.5 s."""

QUICK = 0.05
"""Seconds of an evaluation up to which it is timed again: a slower one is not much changed by a hiccup."""

TIMED_AGAIN = 3
"""How often a quick cost is timed again; the least time counts."""

FEW = 4
"""Coordinates that are evaluated each time that a quick cost is timed."""


@dataclass(frozen=True)
class Forecast:
    """Seconds of one evaluation of a coordinate: on all workers, and on one alone."""

    each: float
    alone: float
    by_block: bool = True
    """Whether each block is calibrated by itself."""
    of_direction: float = 1.0
    """What an evaluation along a random direction takes, in units of one of a coordinate."""
    points: int = 2
    """Points of the stencil, of which EACH and EACH_OF_FEW count two."""

    def evaluations(self, coordinates: int, blocks: int) -> int:
        """How many a check of so many coordinates takes."""
        calibration = self.calibration(CALIBRATED, blocks, coordinates) if blocks else 0
        return round(self.each_of(coordinates) * coordinates) + calibration

    def each_of(self, coordinates: int) -> float:
        """Evaluations of a coordinate, where so many are measured."""
        of_central = EACH if self.by_block or coordinates > EVERY else EACH_OF_FEW
        return of_central + self.points - 2

    def measured_by(self, evaluations: float) -> int:
        """How many coordinates, of blocks that are calibrated, so many evaluations measure."""
        many = int(evaluations / self.each_of(EVERY + 1))
        return many if many > EVERY else int(evaluations / self.each_of(1))

    def calibration(self, count: int, blocks: int, coordinates: int) -> int:
        """Evaluations that calibrate each block at so many coordinates; for none, those of a single block."""
        if self.by_block:
            return CALIBRATING * (count * blocks or 1)
        return SET_UP + min(SECOND_SCALES, coordinates // 2)

    def seconds(self, evaluations: float) -> float:
        """How long so many evaluations take."""
        return evaluations * self.each


def forecast(spec: Specification, engines: Engines, run: Run, count: int, indices: IndexArray) -> Forecast:
    """The price of evaluations, timed at some coordinates, and remembered by the checkpoint.

    Parameters
    ----------
    spec : Specification
    engines : Engines
    run : Run
    count : how many of the user's coordinates are to be checked
    indices : (k,) some of them
    """
    before = run.evaluations
    pilot = _Pilot(spec, engines, run, count, indices)

    def measured() -> list[float]:
        return [pilot.seconds(), run.evaluations - before]

    alone, made = run.checkpoint.remember(f"price of {engines.engine.name}", measured)
    if run.evaluations == before:  # an earlier run has timed it: its evaluations are part of the check
        run.budget.spend(int(made))
    workers = choose_workers(engines.engine, run.n_jobs, run.backend)
    by_block = engines.engine.knows_layers
    blocks = len(spec.parameters.blocks)
    moving = SECONDS_OF_A_BLOCK * blocks * (blocks > FEW_BLOCKS)
    return Forecast(
        alone / (1 + EFFICIENCY * (workers.count - 1)),
        alone,
        by_block,
        1 + moving / max(alone, 1e-9),
        len(spec.stencil.evaluated),
    )


@dataclass(frozen=True, eq=False)
class _Pilot:
    """Evaluations that are timed to predict the time of `count` coordinates, at some of them."""

    spec: Specification
    engines: Engines
    run: Run
    count: int
    indices: IndexArray

    def seconds(self) -> float:
        """Seconds of one evaluation on one worker."""
        if self.engines.engine.incremental:
            return self._of_incremental()
        each = self.engines.seconds
        for _ in range(TIMED_AGAIN):
            if each > QUICK or each * EACH * self.count < RETIMED_FROM:
                break
            each = min(each, self._timed(self.indices[:FEW]))
        return each

    def _of_incremental(self) -> float:
        """Seconds where evaluations of several coordinates share work; 0 where there are few coordinates."""
        indices, count, space = self.indices, self.count, self.engines.space
        if len(indices) <= PILOTS[-1]:
            return 0.0
        long = LONG_WITH_BUDGET if self.run.budget.limited else LONG
        moved = 1.0 if space.is_plain else len(space.needed(indices)) / count
        some = np.sort(np.random.default_rng(0).choice(indices, PILOTS[0], replace=False))
        each = moved * self._timed(some, PILOTS[0])
        if each * EACH * count > long:  # the first time may have prepared what is prepared once
            each = min(each, moved * self._timed(some, PILOTS[0]))
        if each * EACH * count > long and space.is_plain:
            parameters = self.spec.parameters
            some = _of_few_units(parameters, indices, PILOTS[1], count == parameters.size)
            each = min(each, self._timed(some, len(some)))
        return each

    def _timed(self, indices: IndexArray, most: int = FEW) -> float:
        """Seconds of an evaluation where some of the user's coordinates are moved by next to nothing."""
        evaluate = self.engines.in_reals
        moved = self.engines.space.needed(indices)[:most]
        before = evaluate.elapsed
        offsets = np.tile([-(2.0**-20), 2.0**-20], (len(moved), 1))
        evaluate(moved, offsets)
        return (evaluate.elapsed - before) / offsets.size


def _of_few_units(parameters: Parameters, indices: IndexArray, count: int, everything: bool) -> IndexArray:
    """About so many coordinates: of each matrix those that lead to a few of its units, as a check has them.

    Parameters
    ----------
    parameters : Parameters
    indices : those that are to be checked, or where everything is, some of them
    count : how many are wanted
    everything : whether all coordinates are to be checked
    """
    rng = np.random.default_rng(0)
    chosen = []
    for number, where in parameters.segments(indices):
        block, mine = parameters.blocks[number], indices[where]
        share = min(len(mine), max(1, round(count * len(mine) / len(indices))))
        if len(block.shape) == 2 and share < len(mine):
            mine = _of_units(block, mine, share, everything, rng)
        chosen.append(mine if len(mine) <= 2 * share else rng.choice(mine, share, replace=False))
    return np.sort(np.concatenate(chosen))


def _of_units(
    block: Block, mine: IndexArray, share: int, everything: bool, rng: np.random.Generator
) -> IndexArray:
    width = block.shape[1]
    unit = (mine - block.start) % width
    there = distinct(unit)
    rows = block.shape[0] if everything else max(1, len(mine) // len(there))
    units = rng.choice(there, min(len(there), max(1, share // rows)), replace=False)
    if everything:
        found: IndexArray = block.start + np.arange(rows)[:, None] * width + np.sort(units)
        return found.reshape(-1)
    return mine[np.isin(unit, units)]
