"""A second scale for coordinates: the stencil again at twice the step, so that each shows its own truncation.

All coordinates of a small check are measured at two scales, of many alike a few. What these show is what the
screen takes for the others: how much truncation a step hides, and how much values bend.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fastgrad.arrays import Bools, Floats, IndexArray, Values
from fastgrad.coordinates.stages import Setting
from fastgrad.coordinates.table import OWN, CoordinateTable
from fastgrad.differences.bounds import by_four_points, noise_of_difference, unknown_where_not_finite
from fastgrad.differences.kinks import has_kink_at_four_points
from fastgrad.differences.plan import Plan
from fastgrad.differences.stencils import CENTRAL
from fastgrad.index_sets import distinct

EVERY = 128
"""Coordinates up to which each is measured at two scales."""

OF_A_GROUP = 8
"""Coordinates of a group that are, where there are more: the largest of eight was seldom far from the largest
of all."""


@dataclass(frozen=True, eq=False)
class SecondScale:
    """What some positions of a plan show at two scales."""

    at: IndexArray
    numeric: Floats
    error_bound: Floats
    kinked: Bools

    def hand_in(self, table: CoordinateTable) -> None:
        """Give a table what is known better by now."""
        better = np.isfinite(self.error_bound)
        at = self.at[better]
        table.special[self.at] |= self.kinked
        table.accept(at, self.numeric[better], self.error_bound[better], OWN)


def measure_second_scale(
    setting: Setting, plan: Plan, values: Values, everyone: bool, seed: int
) -> SecondScale:
    """Measure some coordinates of a plan at twice their step, and learn what steps hide.

    Parameters
    ----------
    setting : Setting, whose calibration learns
    plan : Plan
    values : (m, S) at the plan's points
    everyone : whether all are measured
    seed : of the choice
    """
    hidden, groups = setting.calibration.hidden, setting.calibration.scales(plan.indices).group
    at = np.arange(len(groups)) if everyone or len(groups) <= EVERY else _some(groups, hidden.truncation, seed)
    if not len(at):
        return SecondScale(at, np.empty(0), np.empty(0), np.zeros(0, dtype=bool))
    stencil, steps, indices = plan.stencil, plan.steps[at], plan.indices[at]
    d = setting.displacements(indices, stencil.steps_to_offsets(2 * steps))
    far, near = setting.evaluate(indices, d), values[at]
    sigma = setting.calibration.scales(indices).noise_at(steps)
    if stencil is CENTRAL:
        f = np.column_stack([far[:, 0], near, far[:, 1]])
        displacements = np.column_stack([d[:, 0], plan.displacements[at], d[:, 1]])
        numeric, bound = by_four_points(f, displacements, setting.f0, steps, sigma, setting.z)
        kinked = has_kink_at_four_points(f - setting.f0, sigma, setting.z)
        bend = np.abs(near[:, 1] - 2 * setting.f0 + near[:, 0])
    else:
        kinked, bend = np.zeros(len(at), dtype=bool), np.full(len(at), np.inf)
        numeric = stencil.derivative(near, plan.displacements[at], setting.f0)
    with np.errstate(all="ignore"):
        first = stencil.derivative(near, plan.displacements[at], setting.f0)
        second = stencil.derivative(far, d, setting.f0)
        truncation = np.abs(first - second) / (2**stencil.order - 1)
        if stencil is not CENTRAL:
            noise = setting.z * noise_of_difference(stencil) * sigma / steps
            numeric, bound = unknown_where_not_finite(numeric, noise + 2 * truncation)
    hidden.learn(groups[at], np.where(kinked, np.nan, truncation * steps), bend)
    return SecondScale(at, numeric, bound, kinked)


def _some(groups: IndexArray, known: dict[int, float], seed: int) -> IndexArray:
    """A few of each group of which nothing is known."""
    rng = np.random.default_rng(seed)
    chosen = [np.empty(0, dtype=np.intp)]
    order = np.argsort(groups, kind="stable")
    every = distinct(groups)
    for members in np.split(order, np.searchsorted(groups[order], every[1:])):
        if int(groups[members[0]]) not in known:
            few = len(members) <= OF_A_GROUP
            chosen.append(members if few else rng.choice(members, OF_A_GROUP, replace=False))
    return np.sort(np.concatenate(chosen))
