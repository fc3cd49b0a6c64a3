"""The change of one unit, in every sample, through a batch norm or a dropout mask between two dense layers.

Notation: z = the unit's input of the batch norm in each sample, z' = z - mean(z), s = sqrt(var(z) + eps), g =
the scale, d = the change of z, d' = d - mean(d), V = var(z + d) - var(z) = mean(2 z' d' + d'^2). The output
changes by

    g (z' + d') / t - g z' / s = g d' / t - g z' V / (s t (s + t)),     t = sqrt(s^2 + V)

which has no cancellation, since the mean and the variance are updated and not computed again.

`kernels.dense_tail` calls this with rows of changes (lanes,), which it overwrites. For a network without
batch norm and dropout it has None in place of `Between`, and Numba compiles no code for them.
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
"""The operations on a unit's change after a dense layer, as `Between.steps` lists them; 0 means no
operation."""


class Between(NamedTuple):
    """The operations after each dense layer; arrays of units and lanes have the layout of those of `Tail`."""

    steps: Indices  # (D, 3) of NORMALISE, ACTIVATE, MASK
    samples: int
    centred: Floats  # z' of each unit; zeros where there is no batch norm
    deviation: Floats  # (units of all layers,) s
    gain: Floats  # (units of all layers,) g
    unit_at: Indices  # (D,) the position of a layer's first unit
    mask: Floats  # zeros and 1 / (1 - rate); ones where there is no dropout


@jit_summing
def _moved_variance(centred: Floats, d: Floats) -> float:
    """V of one unit, for changes d (samples,), which become d'."""
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
    """The change of a batch norm's output in place of that of its input; `samples` lanes at a time."""
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
    """The change of a dropout's output in place of that of its input: row[l] times the mask."""
    kept = between.mask[at : at + lanes]
    for k in range(lanes):
        row[k] *= kept[k]
