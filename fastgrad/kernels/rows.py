"""What may stand between a dense layer and the next beside an activation: a batch norm and a dropout mask.

Notation: z = a unit's input of the batch norm in each sample, z' = z - mean(z), s = sqrt(var(z) + eps), g =
its scale, d = the change of z, d' = d - mean(d), V = var(z + d) - var(z) = mean(2 z' d' + d'^2). Then the
output changes by

    g (z' + d') / t - g z' / s = g d' / t - g z' V / (s t (s + t)),     t = sqrt(s^2 + V)

without the cancellation: mean and variance are updated, not computed anew.

A network without these has None in their place, and no code for them is compiled.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from fastgrad.arrays import Floats
from fastgrad.kernels.jit import jit, jit_summing

Indices = npt.NDArray[np.intp]

NORMALISE, ACTIVATE, MASK = 1, 2, 3
"""What is done to a unit's change after a dense layer, in the order of `Between.steps`; 0 is nothing more."""


class Between(NamedTuple):
    """What follows each dense layer; arrays of units and lanes are laid out as Tail's are."""

    steps: Indices  # (D, 3) of NORMALISE, ACTIVATE, MASK
    samples: int
    centred: Floats  # z' of each unit where there is a batch norm
    deviation: Floats  # (units of all layers,) s
    gain: Floats  # (units of all layers,) g
    unit_at: Indices  # (D,) where a layer's units begin
    mask: Floats  # zeros and 1 / (1 - rate) where there is a dropout


@jit_summing
def _moved_variance(centred: Floats, d: Floats) -> float:
    """V of one unit for changes d, which have their mean taken off here; every sample counts once."""
    n = d.size
    mean = 0.0
    for k in range(n):
        mean += d[k]
    mean /= n
    total = 0.0
    for k in range(n):
        d[k] -= mean
        total += d[k] * (2.0 * centred[k] + d[k])
    return total / n


@jit
def normalise(between: Between, unit: int, at: int, row: Floats, lanes: int) -> None:
    """row[l] = the change of a batch norm's output where that of its input was row[l]; a group at a time."""
    n, s, g = between.samples, between.deviation[unit], between.gain[unit]
    for start in range(0, lanes, n):
        centred, d = between.centred[at + start : at + start + n], row[start : start + n]
        v = _moved_variance(centred, d)
        t = math.sqrt(s * s + v)
        scale, shrink = g / t, g * v / (s * t * (s + t))
        for k in range(n):
            d[k] = scale * d[k] - shrink * centred[k]


@jit
def mask(between: Between, at: int, row: Floats, lanes: int) -> None:
    """row[l] times what the dropout mask has there."""
    kept = between.mask[at : at + lanes]
    for k in range(lanes):
        row[k] *= kept[k]
