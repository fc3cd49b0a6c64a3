"""Tables: how a sample's loss answers to one unit, evaluated at a few points and read off elsewhere.

For z = x W + b, moving the weight W[i, j] by o moves unit j in sample n by du = o x[n, i], and moving the
bias by o moves it by o. Whatever i is, it is the values of one function f_n(du) that are asked for, thousands
of them over a range D of 1e-4 or so. There f is, to rounding, a polynomial, and the table keeps its slope:

    f(du) / du = a0 + a1 u + a2 u^2 + a3 u^3,   u = du / D in [-1, 1]

through the values at u = -1, -1/2, 1/2, 1. Those at u = -3/4 and 3/4 are a check: where they differ from the
polynomial by more than rounding in any sample (a kink within reach, a range too wide) the unit has no table,
and its weights are propagated one by one. Summed over the samples, with powers of x and o apart,

    sum_n f_n(o x[n, i]) = sum_p o^(p+1) / D^p  sum_n x[n, i]^(p+1) a_p[n, j]

is a product of matrices for each p, for all weights into all units. 784-256-128-10 with 32 samples: 13
microseconds a first-layer weight propagated, 0.05 read off, tables included.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from fastgrad import networks
from fastgrad.arrays import Floats, IndexArray
from fastgrad.engines.network.place import Place, largest_of_each

POINTS = np.array([-1.0, -0.75, -0.5, 0.5, 0.75, 1.0])
"""Where f is evaluated, in units of D: four points that the polynomial goes through and two that check it."""

TRUSTED = 2.0**-44
"""How far the check may be off, as a share of the unit's largest slope: some hundred roundings, for a slope
is a sum over many units that may cancel. What is believed is right to 1e-13 of the change of the cost."""

SAVED = 1000
"""Values that a table must save: to make one takes half a millisecond, a value two microseconds or more."""

WIDER = 16.0
"""How much wider the range is where changes are differences of two losses: their rounding is then as much
less of them."""

ROUNDINGS = 64.0
"""Roundings of a sample's loss that such a check may be off by."""

FAR = 4.0
"""Weights that reach further than this times the median of their layer are propagated: they would widen D."""

LOOKED_AT = 4096
"""Coordinates of a layer from which the median reach is taken."""

TABLE_BYTES = 32 * 2**20
"""Memory for the tables of one layer while they are made: as many units get one as fit."""

BYTES_OF_A_NODE = 16 * 8
"""Six offsets, six values, and the four coefficients of one unit in one sample."""

ROWS = 64
"""Inputs whose products are made together, always the same ones: values then do not depend on how a plan is
cut into chunks, whatever order BLAS sums in."""

NodeValues = Callable[[IndexArray, Floats], Floats]
"""node_values(units, du (6,)) -> (units, samples, 6): the loss's changes for moved units of the layer."""


@dataclass(frozen=True, eq=False)
class UnitTable:
    """The polynomials of the units of one Dense layer."""

    reach: float  # D, a power of two
    size: float  # of the inputs: a power of two that none exceeds
    inputs: Floats  # (samples, features)
    largest: Floats  # (features + 1,) of each input's |x|; [-1] is the bias, which moves its unit by 1
    slopes: Floats  # (4, samples, units), NaN for units without a table
    has: npt.NDArray[np.bool_]  # (units,)

    @property
    def width(self) -> int:
        """The units of the layer."""
        return len(self.has)

    def covers(self, feature: IndexArray, unit: IndexArray, offsets: Floats) -> npt.NDArray[np.bool_]:
        """Which coordinates (feature -1 for a bias) of the layer can be read off."""
        return np.asarray(self.has[unit] & (reaches(self.largest, feature, offsets) <= self.reach))

    def values(self, feature: IndexArray, unit: IndexArray, offsets: Floats) -> Floats:
        """The loss's changes (m, S) for covered coordinates."""
        from fastgrad.kernels.polynomials import read_off

        found = np.empty(offsets.shape)
        shrink = self.size / self.reach
        order = None if bool((feature[1:] >= feature[:-1]).all()) else np.argsort(feature, kind="stable")
        if order is not None:
            feature, unit, offsets = feature[order], unit[order], offsets[order]
        for number, where in _groups(feature):
            row = feature[where] - number * ROWS if number >= 0 else np.zeros_like(feature[where])
            given = np.ascontiguousarray(offsets[where])
            read_off(self._products(number), row, unit[where], given, shrink, self.reach, found[where])
        if order is not None:
            found[order] = found.copy()
        return found

    def _products(self, number: int) -> Floats:
        """sum_n (x[n, i] / size)^(p+1) a_p[n, j] for one group of inputs i, shape (4, inputs, units)."""
        x = (
            np.full((len(self.inputs), 1), 1 / self.size)
            if number < 0
            else self.inputs[:, number * ROWS : (number + 1) * ROWS] / self.size
        )
        out = np.empty((len(self.slopes), x.shape[1], self.slopes.shape[2]))
        power = x.copy()
        for a, product in zip(self.slopes, out, strict=True):
            np.matmul(power.T, a, out=product)
            power *= x
        return out


def _groups(feature: IndexArray) -> Iterator[tuple[int, slice]]:
    """The groups of ROWS inputs that increasing ones fall into, -1 for biases, and where each stands."""
    if not len(feature):
        return
    first, last = int(feature[0]) // ROWS, int(feature[-1]) // ROWS  # of a bias: -1 // ROWS = -1
    cuts = np.searchsorted(feature, np.arange(first + 1, last + 1) * ROWS).tolist()
    for number, (start, stop) in enumerate(pairwise([0, *cuts, len(feature)]), start=first):
        if start < stop:
            yield number, slice(start, stop)


def reaches(largest: Floats, feature: IndexArray, offsets: Floats) -> Floats:
    """The largest change of a pre-activation that each coordinate's offsets (m, S) make."""
    return np.asarray(largest_of_each(offsets) * largest[feature])


def can_have_tables(place: Place) -> bool:
    """Whether a layer's weights move one unit of a sample, and samples do not touch each other after it."""
    return place.kind is networks.Dense and place.x.ndim == 2 and place.samples_stay_apart


def make_table(
    width: int,
    inputs: Floats,
    units: IndexArray,
    feature: IndexArray,
    offsets: Floats,
    node_values: NodeValues,
    rounding: float,
) -> UnitTable | None:
    """The table of one layer for some coordinates of a plan; None where it would not pay.

    Parameters
    ----------
    width : units of the layer
    inputs : (samples, features) what the layer sees
    units : the units that the coordinates lead to, increasing
    feature, offsets : (m,) and (m, S) of the coordinates: weights into these units
    node_values : NodeValues
    rounding : of a sample's loss where changes are differences of two, else 0
    """
    inputs = np.asarray(inputs, dtype=np.float64)  # a layer of the user's own may give others
    samples = len(inputs)
    units = units[: TABLE_BYTES // (BYTES_OF_A_NODE * samples)]
    if offsets.size < SAVED + len(POINTS) * len(units) or not len(units):
        return None
    some = slice(None, None, max(1, len(feature) // LOOKED_AT))
    largest = np.append(np.abs(inputs).max(axis=0, initial=0.0), 1.0)
    reach = reaches(largest, feature[some], offsets[some])
    reach = reach[reach > 0]
    if not len(reach) or not np.isfinite(reach).all():
        return None
    span = float(min(reach.max(), FAR * np.median(reach))) * (WIDER if rounding else 1.0)
    d = float(2.0 ** np.ceil(np.log2(span)))
    size = float(2.0 ** np.ceil(np.log2(largest.max())))
    slopes, has = np.full((4, samples, width), np.nan), np.zeros(width, dtype=bool)
    with np.errstate(all="ignore"):  # what is not finite has no table
        f = node_values(units, d * POINTS)
        fitted, good = _fit(f / (d * POINTS), ROUNDINGS * rounding / d)
    has[units] = good
    slopes[:, :, units] = np.where(good, np.moveaxis(fitted, 1, 2), np.nan)
    return UnitTable(d, size, inputs, largest, slopes, has)


def _fit(g: Any, blur: float) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Coefficients (4, units, samples) for slopes g (units, samples, 6), known to `blur`; which units fit."""
    g = np.moveaxis(g, -1, 0)
    even, odd = (g[[5, 3, 4]] + g[[0, 2, 1]]) / 2, (g[[5, 3, 4]] - g[[0, 2, 1]]) / 2  # at 1, 1/2, 3/4
    a2, a3 = (even[0] - even[1]) * (4 / 3), (odd[0] - 2 * odd[1]) * (4 / 3)
    a0, a1 = even[0] - a2, odd[0] - a3
    off = np.abs(even[2] - (a0 + 0.5625 * a2)) + np.abs(odd[2] - (0.75 * a1 + 0.421875 * a3))
    good = off.max(axis=1) <= TRUSTED * np.abs(g).max(axis=(0, 2)) + blur
    return np.stack([a0, a1, a2, a3]), good
