"""All differences once more at a far smaller step, where an engine moves many coordinates together.

That takes as few evaluations as one direction does, and says of each coordinate what random directions say of
all: a narrow feature of the cost, or a wave of the length of the steps, shows here.
"""

from __future__ import annotations

import numpy as np

from fastgrad.arrays import IndexArray
from fastgrad.coordinates.measurement import Coordinates
from fastgrad.differences.bounds import HALF_DIFFERENCE_SD
from fastgrad.directions.agreement import NARROWEST, SEEN, WIDEST

ROUNDS = 4
"""How often coordinates are measured again that have another derivative closer by."""


def ask_closer(coordinates: Coordinates) -> str:
    """Measure all coordinates at a far smaller step, and again what has another derivative there.

    Parameters
    ----------
    coordinates : Coordinates, whose table takes over what is measured again

    Returns
    -------
    A sentence for the report; empty where nothing could be measured.
    """
    positions = _known(coordinates)
    fraction, anew = _fraction(coordinates, positions), 0
    missed = np.empty(0)
    for turn in range(ROUNDS):
        if not len(positions) or not _has_room(coordinates, 2 * len(positions)):
            break
        table = coordinates.known.table
        slopes, noise = coordinates.slopes(positions, fraction)
        with np.errstate(all="ignore"):
            off = np.abs(slopes - table.numeric[positions])
            bound = coordinates.z * noise + table.error_bound[positions]
            if turn == 0:
                missed = (off + bound) / np.abs(table.numeric[positions])
            doubtful = off > bound
        positions, off = positions[doubtful], off[doubtful]
        anew += coordinates.measure_closer(positions, off) if len(positions) else 0
    missed = missed[np.isfinite(missed)]
    return _sentence(fraction, float(np.median(missed)), anew) if len(missed) else ""


def _known(coordinates: Coordinates) -> IndexArray:
    """Positions of the coordinates whose derivative is known."""
    table = coordinates.known.table
    return np.flatnonzero(np.isfinite(table.numeric) & ~table.kink)


def _has_room(coordinates: Coordinates, evaluations: int) -> bool:
    budget = coordinates.run.budget
    return not budget.is_over() and budget.left(coordinates.engines.in_reals.seconds_each) >= evaluations


def _fraction(coordinates: Coordinates, positions: IndexArray) -> float:
    """The step in units of the coordinates' own, at which noise covers a part SEEN of a typical slope."""
    table = coordinates.known.table
    effects = np.abs(table.numeric * table.plan.steps)[positions]
    effects = effects[(effects > 0) & np.isfinite(effects)]
    if not len(effects):
        return WIDEST
    noise = coordinates.z * HALF_DIFFERENCE_SD * coordinates.calibration.largest_noise
    wanted = noise / (SEEN * float(np.median(effects)))
    return float(WIDEST * 2.0 ** np.ceil(np.log2(np.clip(wanted / WIDEST, NARROWEST, 1.0))))


def _sentence(fraction: float, typical: float, anew: int) -> str:
    again = f"; {anew} coordinates were measured again for it" if anew else ""
    return (
        f"the differences are the same at {fraction:.1g} of their steps: none is off by more than "
        f"{typical:.1g} of itself (the typical one){again}"
    )
