"""Costs that stand still at fine steps and move in jumps: those rounded to some digits.

Such a cost has the slope 0 between its jumps, and another one on average, which is what differences at wide
steps see. A claim of zero is then no mistake that differences could show. (A claim of the average agrees.)
"""

from __future__ import annotations

import numpy as np

from fastgrad.arrays import Bools, Floats, IndexArray, Values
from fastgrad.coordinates.setting import Setting
from fastgrad.coordinates.table import CoordinateTable

ULPS = 256.0
"""How many ulp of the cost the average slope would move it, at the fine steps that are looked at."""

STILL = 8.0
"""By so many ulp the farthest of four values would move in double precision, all of which stand still."""

UNLIKE = 0.25
"""The share of their sum by which the changes on two sides of a rounded line differ at most: at the steps
that are known a rounded cost moves by several roundings."""

DOUBLINGS = 40
"""Steps, each twice the one before, at which the first jump is looked for."""


def are_stairs(setting: Setting, table: CoordinateTable, at: IndexArray, steps: Floats, f: Values) -> Bools:
    """Whether the cost stands still at fine steps where it moves alike on both sides at the wide ones.

    It is then rounded, as by one term in float32, and its derivative is that of the wide steps. A kink close
    by, or a flat place between two slopes, moves it on one side, or in two ways.

    Parameters
    ----------
    setting : Setting
    table : with the derivative and the step that are known of each
    at : (m,) positions in it
    steps : (m,) the fine ones
    f : (m, S) values at these
    """
    indices, slope, wide = table.plan.indices[at], np.abs(table.numeric[at]), table.plan.steps[at]
    with np.errstate(all="ignore"):
        seen = 2 * slope * steps > STILL * np.spacing(abs(setting.f0))
        stairs = (f == setting.f0).all(axis=1) & seen & (slope > table.error_bound[at])
    some = np.flatnonzero(stairs)
    if len(some):
        d = setting.displacements(indices[some], wide[some, None] * np.array([-1.0, 1.0]))
        values = setting.evaluate(indices[some], d)
        down, up = setting.f0 - values[:, 0], values[:, 1] - setting.f0
        with np.errstate(invalid="ignore"):
            alike = (np.abs(up - down) <= UNLIKE * np.abs(up + down)) & (up != 0)
        stairs[some[~alike]] = False
    return np.asarray(stairs)


def keep_on_stairs(setting: Setting, table: CoordinateTable, at: IndexArray, fine: Floats) -> None:
    """Keep the derivatives that wide steps gave on stairs, with a bound that one stair more or less explains.

    Parameters
    ----------
    setting, table, at, fine : as for are_stairs
    """
    if not len(at):
        return
    wide = table.plan.steps[at]
    bound = np.fmax(table.error_bound[at], jumps(setting, table, at, fine) / wide)
    table.accept(at, table.numeric[at], bound, steps=wide)


def jumps(setting: Setting, table: CoordinateTable, at: IndexArray, fine: Floats) -> Floats:
    """(m,) by how much the cost moves first from fine steps to those that are known; 0 if it does not."""
    steps = fine[:, None] * 2.0 ** np.arange(DOUBLINGS)
    steps = np.minimum(steps, table.plan.steps[at][:, None])
    indices = table.plan.indices[at]
    moved = np.abs(setting.evaluate(indices, setting.displacements(indices, steps)) - setting.f0)
    return np.take_along_axis(moved, np.argmax(moved > 0, axis=1)[:, None], axis=1)[:, 0]


def mark_plateaus(setting: Setting, table: CoordinateTable, at: IndexArray) -> None:
    """Put down at which coordinates the cost stands still at fine steps, and by how much it jumps.

    Parameters
    ----------
    setting : Setting
    table : CoordinateTable
    at : (m,) positions whose derivative was measured, and is claimed to be zero
    """
    indices, slope = table.plan.indices[at], np.abs(table.numeric[at])
    with np.errstate(all="ignore"):
        ulp = max(float(np.spacing(abs(setting.f0))), setting.epsilon * abs(setting.f0))
        fine = setting.raised(indices, ULPS * ulp / slope)
    known = np.isfinite(fine) & (fine < table.plan.steps[at])
    if not known.any():
        return
    at, indices, fine = at[known], indices[known], fine[known]
    d = setting.displacements(indices, fine[:, None] * np.array([-1.0, 1.0]))
    still = (setting.evaluate(indices, d) == setting.f0).all(axis=1)
    table.plateau[at] = still
    if still.any() and not table.quantum:
        first = at[np.argmax(still)][None]
        table.quantum = float(jumps(setting, table, first, fine[[np.argmax(still)]])[0])
    table.touch()
