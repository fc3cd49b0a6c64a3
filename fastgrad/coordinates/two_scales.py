"""A second scale for coordinates: the stencil again at twice the step, so that each shows its own truncation.

All coordinates of a small check are measured at two scales, of many alike a few before the others. What these
show is what the screen takes for the others: how much truncation a step hides, how much values bend, and
whether the step is too wide for the cost's shape, which the parameter's size does not tell.
"""

from __future__ import annotations

import numpy as np

from fastgrad.arrays import Floats, IndexArray, Values
from fastgrad.coordinates.four_values import TwoScales, fit_steps, four_values, of_values, room_for
from fastgrad.coordinates.setting import Setting
from fastgrad.coordinates.table import OWN, CoordinateTable
from fastgrad.differences.bounds import noise_of_difference, unknown_where_not_finite
from fastgrad.differences.plan import Plan, make_plan
from fastgrad.differences.stencils import CENTRAL, Stencil
from fastgrad.index_sets import distinct

EVERY = 32
"""Coordinates up to which each is measured at two scales."""

OF_A_GROUP = 8
"""Coordinates of a group that are at most, where there are more: the largest of eight was seldom far from the
largest of all."""

CHECKED_FOR_ONE = 16
"""Of a smaller group there is one for so many, and two at least."""


def measure_each(setting: Setting, plan: Plan, values: Values, table: CoordinateTable) -> None:
    """Measure every coordinate of a plan at a second scale, and once more where its step is too wide.

    Parameters
    ----------
    setting : Setting
    plan : Plan
    values : (m, S) at its points
    table : what the screen found, which is told what is known better
    """
    found = _at_twice(setting, plan, values)
    better = np.flatnonzero(np.isfinite(found.error_bound))
    table.special |= found.kinked
    table.accept(better, found.numeric[better], found.error_bound[better], OWN, plan.steps[better])
    if plan.stencil is CENTRAL:
        fit_steps(setting, table, np.arange(len(plan.indices)), plan.steps, found, OWN)


def learn_from_some(setting: Setting, indices: IndexArray, stencil: Stencil, given: bool, seed: int) -> None:
    """Measure a few coordinates of each group of which nothing is known, at two scales.

    Parameters
    ----------
    setting : Setting, whose calibration learns what steps hide, and whether they are too wide
    indices : (m,) the coordinates that will be measured
    stencil : Stencil
    given : whether the steps were given, and stay as they are
    seed : of the choice
    """
    hidden = setting.calibration.hidden
    groups = setting.calibration.scales(indices).group
    at = _some(groups, hidden.truncation, seed)
    if not len(at):
        return
    some, groups = indices[at], groups[at]
    found, steps = _both_scales(setting, some, stencil)
    factor = found.factor(room_for(setting, some, steps))
    if stencil is CENTRAL and not given and (factor != 1).any():
        for group in distinct(groups[factor != 1]):
            hidden.stretch(int(group), float(factor[groups == group].min()))
        found, steps = _both_scales(setting, some, stencil)
    hidden.learn(groups, np.where(found.kinked, np.nan, found.truncation * steps), found.bend)


def _both_scales(setting: Setting, indices: IndexArray, stencil: Stencil) -> tuple[TwoScales, Floats]:
    steps = setting.calibration.scales(indices).step
    if stencil is CENTRAL:
        return four_values(setting, indices, steps), steps
    plan = make_plan(setting.parameters, indices, stencil)
    return _at_twice(setting, plan, setting.evaluate(indices, plan.displacements)), plan.steps


def _at_twice(setting: Setting, plan: Plan, values: Values) -> TwoScales:
    """What a plan's coordinates show, with the stencil at twice the step beside their values."""
    stencil, steps, indices = plan.stencil, plan.steps, plan.indices
    d = setting.displacements(indices, stencil.steps_to_offsets(2 * steps))
    far = setting.evaluate(indices, d)
    if stencil is CENTRAL:
        f = np.column_stack([far[:, 0], values, far[:, 1]])
        d = np.column_stack([d[:, 0], plan.displacements, d[:, 1]])
        return of_values(setting, indices, steps, f, d)
    first = stencil.derivative(values, plan.displacements, setting.f0)
    second = stencil.derivative(far, d, setting.f0)
    sigma = setting.calibration.scales(indices).noise_at(steps)
    with np.errstate(all="ignore"):
        truncation = np.abs(first - second) / (2**stencil.order - 1)
        noise = setting.z * noise_of_difference(stencil) * sigma / steps
        numeric, bound = unknown_where_not_finite(first, noise + 2 * truncation)
    none = np.zeros(len(steps), dtype=bool)
    return TwoScales(numeric, bound, truncation, noise, np.full(len(steps), np.inf), none)


def _some(groups: IndexArray, known: dict[int, float], seed: int) -> IndexArray:
    """A few of each group of which nothing is known."""
    rng = np.random.default_rng(seed)
    chosen = [np.empty(0, dtype=np.intp)]
    order = np.argsort(groups, kind="stable")
    every = distinct(groups)
    for members in np.split(order, np.searchsorted(groups[order], every[1:])):
        if int(groups[members[0]]) not in known:
            count = min(len(members), max(2, min(OF_A_GROUP, len(members) // CHECKED_FOR_ONE)))
            chosen.append(rng.choice(members, count, replace=False))
    return np.sort(np.concatenate(chosen))
