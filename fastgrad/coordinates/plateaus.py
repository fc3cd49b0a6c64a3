"""Costs that stand still at fine steps and move in jumps: those rounded to some digits.

Such a cost has the slope 0 between its jumps, and another one on average, which is what differences at wide
steps see. A claim of zero is then no mistake that differences could show. (A claim of the average agrees.)
"""

from __future__ import annotations

import numpy as np

from fastgrad.arrays import IndexArray
from fastgrad.coordinates.setting import Setting
from fastgrad.coordinates.table import CoordinateTable

ULPS = 256.0
"""How many ulp of the cost the average slope would move it, at the fine steps that are looked at."""

DOUBLINGS = 40
"""Steps, each twice the one before, at which the first jump is looked for."""


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
        first = int(np.argmax(still))
        steps = fine[first] * 2.0 ** np.arange(DOUBLINGS)
        steps = steps[steps <= table.plan.steps[at[first]]]
        one = indices[first : first + 1]
        f = setting.evaluate(one, setting.displacements(one, steps[None]))[0]
        moved = np.flatnonzero(f != setting.f0)
        table.quantum = float(abs(f[moved[0]] - setting.f0)) if len(moved) else 0.0
    table.touch()
