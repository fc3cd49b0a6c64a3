"""Which coordinates are checked and by what means, from what the check is predicted to take.

    everything                   where it takes seconds, fits the budget, or was asked for
    probes, subset, search       else: a certificate by random directions, a subset of each block measured one
                                 by one, and where a direction fails a search for the wrong coordinates

What was decided is remembered by the checkpoint, for it depends on how fast the machine happened to be.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fastgrad.coordinates.block_calibration import CALIBRATED
from fastgrad.directions.certificate import PROBES
from fastgrad.execution.budget import Budget
from fastgrad.options import Options
from fastgrad.problem.parameters import Parameters
from fastgrad.sampling.confidence_limits import least_count
from fastgrad.sampling.selection import share_out
from fastgrad.strategy.forecast import CONFIRMING, EACH, UNSURE, Forecast

PATIENCE = 30.0
"""Seconds that a check of everything may take without being asked for."""

SOON = 6.0
"""Seconds that the subset may take where there is no budget and more than the least of it is to be had."""

CONFIDENCE = 0.999
"""The confidence of what is said of coordinates that were not checked, unless another is asked for."""

WRONG_FRACTION = 0.01
"""The share of wrong coordinates that the subset of each block is to find, unless another is asked for."""

ROUNDS = 6
"""How often the evaluations of a calibration are estimated anew, for the coordinates that they leave."""

LEAST = 64
"""Coordinates of a block that are drawn at least (docs/numerics.md, Samples)."""

WHOLE = 256
"""Blocks of up to so many are checked whole (docs/numerics.md, Samples)."""

SET_UP_OF_PROBES = 60
"""Evaluations from which noise and step along directions are known (2 directions; 34 were seen)."""

SHARE_FOR_SUBSET = 0.6
"""The share of what calibration and probes leave that the subset may take: the rest is for the search."""


@dataclass(frozen=True)
class Decision:
    """What is to be checked: everything, or so many coordinates of each block, and by how many probes."""

    everything: bool
    counts: tuple[int, ...] = ()  # of each block, where not everything is
    probes: int = 0
    calibrated: int = CALIBRATED  # coordinates that a block is calibrated at

    @property
    def as_list(self) -> list[list[int]]:
        """The same as numbers, for a checkpoint."""
        return [[int(self.everything), self.probes, self.calibrated], list(self.counts)]

    @classmethod
    def from_list(cls, numbers: list[list[int]]) -> Decision:
        """The decision from its numbers."""
        (everything, probes, calibrated), counts = numbers
        return cls(bool(everything), tuple(counts), probes, calibrated)


def decide(parameters: Parameters, options: Options, price: Forecast, budget: Budget) -> Decision:
    """What a check of a whole gradient consists of, where the coordinates were left to fastgrad.

    Parameters
    ----------
    parameters : Parameters
    options : Options, of which coordinates is "auto"
    price : Price of one evaluation
    budget : what may be spent
    """
    sizes = [b.size for b in parameters.blocks]
    probes = PROBES if options.probes is None else options.probes
    left = budget.left(price.each)
    everything = price.evaluations(parameters.size, len(sizes))
    asked = by_sample(options) or bool(options.probes)
    counts = counts_that_prove(sizes, options)
    along = price.of_direction * (probes * 6 + SET_UP_OF_PROBES)
    strategy = price.evaluations(sum(counts), len(sizes)) + along
    # On one worker, however many there are: what is checked does not depend on n_jobs.
    patient = everything * price.alone <= (PATIENCE if budget.seconds is None else float("inf"))
    if not asked and everything <= 0.9 * left and (patient or everything <= 1.2 * strategy):
        return Decision(True)
    if by_sample(options) and options.probes is None:
        probes = 0
    unlimited = (
        0.0 if by_sample(options) else price.alone
    )  # what was asked for is done, however long it takes
    return _within(sizes, counts, probes, left, unlimited, price)


def within_budget(wanted: int, blocks: int, price: Forecast, budget: Budget) -> int:
    """How many of the wanted coordinates there is budget for."""
    left = budget.left(price.each)
    if price.evaluations(wanted, blocks) <= left:
        return wanted
    some = coordinates_to_calibrate(blocks, left, price)
    rest = left - price.calibration(some, blocks, wanted)
    rest -= min(CONFIRMING, rest / 2)
    return max(1, min(wanted, price.measured_by(rest) if some else int(rest / UNSURE)))


def coordinates_to_calibrate(blocks: int, left: float, price: Forecast) -> int:
    """How many coordinates each block is calibrated at: fewer where that would take much of the budget."""
    choices = ((CALIBRATED, 3.0), (1, 1.5))
    if not price.by_block:
        return CALIBRATED
    return next((count for count, times in choices if times * price.calibration(count, blocks, 0) < left), 0)


def _calibrating(wanted: int, some: int, blocks: int, left: float, price: Forecast) -> float:
    """Evaluations that calibrate as many of the wanted coordinates as there is budget for: more take more."""
    evaluations = price.calibration(some, blocks, wanted)
    for _ in range(ROUNDS):  # each round is at most a fifth as far off as the one before
        affordable = int(min(wanted, max(left - evaluations, 0) / EACH))
        evaluations = price.calibration(some, blocks, affordable)
    return evaluations


def by_sample(options: Options) -> bool:
    """Whether it was asked what a sample is to prove."""
    return options.wrong_fraction is not None or options.confidence is not None


def counts_that_prove(sizes: list[int], options: Options) -> list[int]:
    """How many coordinates of each block prove what was asked for."""
    confidence = options.confidence or CONFIDENCE
    each = 1 - (1 - confidence) / max(1, len(sizes))
    share = options.wrong_fraction or WRONG_FRACTION
    counts = []
    for size in sizes:
        drawn = max(LEAST, least_count(size, each, share)) if size > WHOLE else size
        # as many again are picked at most: the extremes, and some for each row and column
        counts.append(min(size, 2 * drawn) if size > WHOLE else size)
    return counts


def _within(
    sizes: list[int], counts: list[int], probes: int, left: float, seconds_each: float, price: Forecast
) -> Decision:
    """As much of the strategy as there is budget for; without one what takes seconds, or the least of it."""
    blocks = len(sizes)
    some = coordinates_to_calibrate(blocks, left, price)
    rest = left - _calibrating(sum(counts), some, blocks, left, price)
    for_probes = price.of_direction * (6 * probes + SET_UP_OF_PROBES) if probes else 0
    if for_probes > rest / 2:
        probes, for_probes = 0, 0
    least = [min(count, LEAST) for count in counts]
    if np.isfinite(left):
        rest = SHARE_FOR_SUBSET * (rest - for_probes)
        total = float(price.measured_by(rest) if some else rest / UNSURE)
    else:
        total = max(sum(least), SOON / max(seconds_each, 1e-12) / EACH)
    if sum(counts) <= total:
        return Decision(False, tuple(counts), probes, some)
    rng = np.random.default_rng(0)
    if total < sum(least):
        shared = share_out(max(1, int(total)), least, rng)
    else:
        more = [count - few for count, few in zip(counts, least, strict=True)]
        shared = np.add(least, share_out(int(total) - sum(least), more, rng))
    return Decision(False, tuple(int(c) for c in shared), probes, some)
