"""Four values around a coordinate, at two scales: its derivative, truncation, and the step that would fit it.

Where truncation is far more than noise, or the reverse, the step does not fit the cost's shape, which the
size of a parameter does not tell. It is changed until it does, or what is left counts for nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fastgrad.arrays import Bools, Floats, IndexArray, Values
from fastgrad.coordinates.quiet import own_noise
from fastgrad.coordinates.setting import Setting
from fastgrad.coordinates.table import CoordinateTable
from fastgrad.differences.bounds import OWN_SD, by_four_points
from fastgrad.differences.kinks import has_kink_at_four_points
from fastgrad.differences.stencils import FOUR_POINTS
from fastgrad.verdict.rule import COUNTS

UNLIKE = 4.0
"""A step is changed where truncation is so many times noise, or the reverse, and an error that counts is
covered by them."""

CHANGED = 3
"""How often a step is changed, at most: truncation may fall slower, or faster, than by its square."""

NARROWEST, WIDEST = 2.0**-12, 2.0**4
"""The factors by which a step is changed at once, at most."""

WIDEST_OF_SIZE = 2.0**-3
"""A step is not made wider than this share of the parameter's size."""


@dataclass(frozen=True, eq=False)
class TwoScales:
    """What m coordinates show at two scales; each (m,)."""

    numeric: Floats
    error_bound: Floats
    truncation: Floats
    """|D(h) - D(2h)| over what makes it the error of D(h)."""
    noise: Floats
    """What noise leaves of the bound."""
    bend: Floats
    """|S(h)|."""
    kinked: Bools

    def factor(self, most: Floats) -> Floats:
        """(m,) the power of two by which each step is to change, so that truncation and noise are alike.

        It is 1 where both are, or where neither covers an error that counts. `most` (m,) is the largest.
        """
        with np.errstate(all="ignore"):
            error, size = self.truncation + self.noise, np.abs(self.numeric)
            alike = (self.truncation <= UNLIKE * self.noise) & (self.noise <= UNLIKE * self.truncation)
            known = np.isfinite(self.error_bound) & ~self.kinked & (size > self.error_bound)
            factor = np.cbrt(self.noise / self.truncation)
            factor = np.clip(np.nan_to_num(factor, nan=1.0, posinf=WIDEST), NARROWEST, WIDEST)
            factor = 2.0 ** np.floor(np.log2(np.minimum(factor, most)))
        wanted = known & ~alike & (error > COUNTS * size)
        wanted &= (self.truncation > self.noise) | (factor > 1)
        return np.where(wanted, factor, 1.0)


def four_values(setting: Setting, indices: IndexArray, steps: Floats, may_be_quiet: bool = True) -> TwoScales:
    """What coordinates show at -2h, -h, h and 2h.

    Values of a coordinate that scatter less than the cost's noise lower its bound, unless `may_be_quiet` says
    no: at steps of a few ulp a rounding inside the cost may move all of them alike.
    """
    d = setting.displacements(indices, steps[:, None] * FOUR_POINTS)
    return of_values(setting, indices, steps, setting.evaluate(indices, d), d, may_be_quiet)


def of_values(
    setting: Setting, indices: IndexArray, steps: Floats, f: Values, d: Floats, may_be_quiet: bool = True
) -> TwoScales:
    """What values at -2h, -h, h, 2h show."""
    sigma = setting.calibration.scales(indices).noise_at(steps)
    if may_be_quiet:
        sigma = own_noise(setting, indices, steps, f, d, sigma)
    numeric, bound = by_four_points(f, d, setting.f0, steps, sigma, setting.z)
    with np.errstate(all="ignore"):
        near = (f[:, 2] - f[:, 1]) / (d[:, 2] - d[:, 1])
        far = (f[:, 3] - f[:, 0]) / (d[:, 3] - d[:, 0])
        return TwoScales(
            numeric,
            bound,
            np.abs(near - far) / 3,
            setting.z * OWN_SD * sigma / steps,
            np.abs(f[:, 2] - 2 * setting.f0 + f[:, 1]),
            has_kink_at_four_points(f - setting.f0, sigma, setting.z),
        )


def fit_steps(
    setting: Setting, table: CoordinateTable, at: IndexArray, steps: Floats, found: TwoScales, level: int
) -> None:
    """Measure coordinates again whose steps do not fit, until they do.

    Parameters
    ----------
    setting : Setting
    table : it knows `found` already
    at : (m,) positions in it
    steps : (m,) at which `found` was measured
    found : TwoScales
    level : of the stage
    """
    for _ in range(CHANGED):
        factor = found.factor(room_for(setting, table.plan.indices[at], steps))
        again = np.flatnonzero(factor != 1)
        if not len(again):
            return
        at, steps = at[again], steps[again] * factor[again]
        raised = setting.raised(table.plan.indices[at], steps)
        found = four_values(setting, table.plan.indices[at], raised)
        with np.errstate(invalid="ignore"):
            meet = np.abs(found.numeric - table.numeric[at]) <= found.error_bound + table.error_bound[at]
        take = ~meet | (found.error_bound < table.error_bound[at])
        table.special[at] |= found.kinked | ~meet
        table.accept(at[take], found.numeric[take], found.error_bound[take], level, raised[take])


def room_for(setting: Setting, indices: IndexArray, steps: Floats) -> Floats:
    """(m,) by what factor steps may grow: the farther points stay within a quarter of the size."""
    return np.asarray(WIDEST_OF_SIZE * setting.calibration.scales(indices).size / steps)
