"""What a check will take, before it begins: evaluations, and seconds from the measured cost of one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fastgrad.arrays import IndexArray
from fastgrad.coordinates.calibration import CALIBRATED
from fastgrad.coordinates.measurement import Measurement
from fastgrad.execution.workers import choose_workers
from fastgrad.index_sets import distinct
from fastgrad.problem.block import Block
from fastgrad.problem.parameters import Parameters

EACH = 2.5
"""Evaluations of a coordinate on average: 2.3 for a smooth cost, 3 with kinks (tests/test_refine.py)."""

LOOKING = 30
"""Evaluations of the look at one coordinate of a block: 8 to 33 (numerics, section 10); 710 for six blocks of
a tanh network at four coordinates each."""

UNSURE = 8
"""Evaluations of a coordinate whose block was not looked at: it has to show its own truncation."""

EFFICIENCY = 0.9
"""What of each further worker is gained (benchmarks/bench_engines.py: 0.84 to 0.98)."""

PILOTS = (64, 4096)
"""Coordinates of a Network that are timed, the second number where the first makes the check look long: the
price of one falls when many that lead to one unit are asked for at once (values are then read off tables)."""

LONG = 20.0
"""Seconds of work that look long: less than PATIENCE (strategy.py), for the first number tells too much."""

CLOSE = 2.0
"""The same where a budget is to be used well."""


LOOKS_LONG = 10.0
"""Seconds of a check from which a quick cost is timed again: its first evaluation may have met a hiccup, and
what is checked must not depend on one."""

QUICK = 0.05
"""Seconds of an evaluation that is timed again."""

TIMED_AGAIN = 3
"""How often; the least counts."""

FEW = 4
"""Coordinates that are evaluated each time."""


@dataclass(frozen=True)
class Forecast:
    """Seconds of one evaluation of a coordinate: on all workers, and on one alone."""

    each: float
    alone: float

    def evaluations(self, coordinates: int, blocks: int) -> int:
        """How many a check of so many coordinates takes."""
        return round(EACH * coordinates + LOOKING * CALIBRATED * blocks)

    def seconds(self, evaluations: float) -> float:
        """How long so many evaluations take."""
        return evaluations * self.each


def forecast(m: Measurement, count: int, indices: IndexArray) -> Forecast:
    """The price of evaluations for some of the user's coordinates; remembered by the checkpoint.

    Parameters
    ----------
    m : Measurement
    count : how many coordinates are to be checked
    indices : (k,) some of them
    """
    before = m.evaluations

    def measured() -> list[float]:
        return [_measured(m, count, indices), m.evaluations - before]

    alone, made = m.keeper.remember("price", measured)
    if m.evaluations == before:  # an earlier run has timed it: the evaluations are part of the check
        m.sample.evaluations += int(made)
        m.budget.spend(int(made))
    workers = choose_workers(m.engine, m.options.n_jobs, m.options.backend)
    return Forecast(alone / (1 + EFFICIENCY * (workers.count - 1)), alone)


def _measured(m: Measurement, count: int, indices: IndexArray) -> float:
    if m.engine.name == "network":
        return _of_network(m, indices, count)
    each = m.start.seconds
    for _ in range(TIMED_AGAIN):
        if each > QUICK or each * EACH * count < LOOKS_LONG:
            break
        each = min(each, _timed(m, indices[:FEW]))
    return each


def _of_network(m: Measurement, indices: IndexArray, count: int) -> float:
    if len(indices) <= PILOTS[-1]:
        return 0.0
    long = CLOSE if m.budget.limited else LONG
    moved = len(m.engine.space.needed(indices)) / count if not m.engine.space.is_plain else 1.0
    some = np.sort(np.random.default_rng(0).choice(indices, PILOTS[0], replace=False))
    each = moved * _timed(m, some, PILOTS[0])
    if each * EACH * count > long:  # the first time may have prepared what is prepared once
        each = min(each, moved * _timed(m, some, PILOTS[0]))
    if each * EACH * count > long and m.engine.space.is_plain:
        some = _of_few_units(m.parameters, indices, PILOTS[1], count == m.parameters.size)
        each = min(each, _timed(m, some, len(some)))
    return each


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


def _timed(m: Measurement, indices: IndexArray, most: int = FEW) -> float:
    """Seconds of an evaluation where some of the user's coordinates are moved by next to nothing."""
    moved = m.engine.space.needed(indices)[:most]
    before = m.sample.elapsed
    offsets = np.tile([-(2.0**-20), 2.0**-20], (len(moved), 1))
    m.sample(moved, offsets)
    return (m.sample.elapsed - before) / offsets.size


def in_words(seconds: float) -> str:
    """A length of time.

    Examples
    --------
    >>> [in_words(s) for s in (0.2, 42, 300, 8000, 400_000)]
    ['0.2 s', '42 s', '5 min', '2.2 h', '4.6 days']
    """
    for limit, unit, name in ((120, 1, "s"), (7200, 60, "min"), (172_800, 3600, "h")):
        if seconds < limit:
            return f"{seconds / unit:.2g} {name}"
    return f"{seconds / 86_400:.2g} days"
