"""Tables: the change of a sample's loss as a polynomial of the change of one unit.

Notation: z = x W + b, one Dense layer; i = an input feature, j = a unit, n = a sample; o = an offset; du =
the change of a unit; f_n(du) = the change of the loss of sample n; D = the range of du.

To move the weight W[i, j] by o moves unit j in sample n by du = o x[n, i]. To move the bias by o moves the
unit by o. So all weights into unit j need values of the same functions f_n: thousands of values over a range
D of about 1e-4. In this range f_n is a polynomial up to rounding, and the table holds the polynomial

    f(du) / du = a0 + a1 u + a2 u^2 + a3 u^3,   u = du / D in [-1, 1]

through the values at u = -1, -1/2, 1/2, 1. The values at u = -3/4 and 3/4 check it. Where they differ from
the polynomial by more than rounding in any sample, because of a kink or too wide a range, the unit has no
table and its weights are propagated one by one. The sum over the samples

    sum_n f_n(o x[n, i]) = sum_p o^(p+1) / D^p  sum_n x[n, i]^(p+1) a_p[n, j]

takes one product of matrices for each p, for all weights into all units. The network 784-256-128-10 with 32
samples: 13 microseconds for a propagated first-layer weight, 0.05 for one from a table, tables included.

The engine makes a table before a plan of coordinates (m,) with offsets (m, S) begins, and takes the changes
(m, S) of the loss from it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from fastgrad import networks
from fastgrad.arrays import Bools, FloatArray, Floats, IndexArray
from fastgrad.engines.network.place import Place, largest_of_each

POINTS = np.array([-1.0, -0.75, -0.5, 0.5, 0.75, 1.0])
"""The six values of u where f is evaluated: the polynomial goes through four of them, the others check it."""

FIT_TOLERANCE = 2.0**-44
"""The largest error of a checked value, relative to the largest slope of its unit. It is a few hundred
rounding errors, since a slope is a sum over many units that may cancel. A table's values are then right to
1e-13 of the change of the cost."""

LEAST_SAVING = 1000
"""A table is made where it saves at least this many values. To make it takes 0.5 ms, a propagated value 2
microseconds or more."""

DIFFERENCE_RANGE = 16.0
"""The factor by which D is wider where changes of the loss are differences of two losses. The rounding error
of the losses is then smaller, by the same factor, relative to the changes."""

DIFFERENCE_ROUNDINGS = 64.0
"""The rounding errors of a sample's loss that a checked value may be off by where changes are differences."""

LARGEST_REACH = 4.0
"""Weights whose offsets move a unit by more than this times the median of their layer are propagated: for
them D would have to be wider."""

REACH_SAMPLE = 4096
"""The number of coordinates of a layer whose median reach is taken."""

TABLE_BYTES = 32 * 2**20
"""Memory, in bytes, for the tables of one layer while they are made. Units beyond it get no table."""

BYTES_OF_A_NODE = 16 * 8
"""Bytes of one unit in one sample: six offsets, six values and four coefficients."""

FEATURE_GROUP = 64
"""The number of input features whose products with the coefficients are computed in one call of BLAS. Groups
are always cut at the same features, so that values do not depend on where a plan is cut into chunks."""

SAMPLE_GROUP = 1024
"""The number of samples of a group of features that are worked on at a time: half a megabyte, in which four
powers are taken in a core's cache."""

NodeValues = Callable[[IndexArray, Floats], Floats]
"""node_values(units, du (6,)) -> (units, samples, 6): the loss's changes for moved units of the layer."""


@dataclass(frozen=True, eq=False)
class UnitTable:
    """The polynomials of the units of one Dense layer."""

    reach: float  # D, a power of two
    size: float  # a power of two that no |x| exceeds
    inputs: Floats  # x, (samples, features)
    largest: Floats  # (features + 1,) the largest |x| of each feature; [-1] = 1 is the bias's
    coefficients: Floats  # a_p, (4, samples, units), NaN for units without a table
    has: Bools  # (units,) whether the unit has a table

    @property
    def width(self) -> int:
        """The units of the layer."""
        return len(self.has)

    def covers(self, feature: IndexArray, unit: IndexArray, offsets: Floats) -> Bools:
        """Which coordinates (m,) of the layer the table gives values of; a bias has feature -1."""
        return np.asarray(self.has[unit] & (reaches(self.largest, feature, offsets) <= self.reach))

    def values(self, feature: IndexArray, unit: IndexArray, offsets: Floats) -> Floats:
        """The loss's changes (m, S) for covered coordinates."""
        from fastgrad.kernels.polynomials import evaluate_polynomials

        found = np.empty(offsets.shape)
        scale = self.size / self.reach
        order = None if bool((feature[1:] >= feature[:-1]).all()) else np.argsort(feature, kind="stable")
        if order is not None:
            feature, unit, offsets = feature[order], unit[order], offsets[order]
        for number, where in _groups(feature):
            row = feature[where] - number * FEATURE_GROUP if number >= 0 else np.zeros_like(feature[where])
            given, sums = np.ascontiguousarray(offsets[where]), self._products(number)
            evaluate_polynomials(sums, row, unit[where], given, scale, self.reach, found[where])
        if order is not None:
            found[order] = found.copy()
        return found

    def _products(self, number: int) -> Floats:
        """sum_n (x[n, i] / size)^(p+1) a_p[n, j] for one group of features i, shape (4, features, units)."""
        features = slice(number * FEATURE_GROUP, (number + 1) * FEATURE_GROUP)
        out: Floats | None = None
        for n in range(0, len(self.inputs), SAMPLE_GROUP):
            some = slice(n, n + SAMPLE_GROUP)
            x = self.inputs[some, features] / self.size if number >= 0 else self._of_bias(some)
            power, found = x.copy(), np.empty((len(self.coefficients), x.shape[1], self.width))
            for a, product in zip(self.coefficients, found, strict=True):
                np.matmul(power.T, a[some], out=product)
                power *= x
            out = found if out is None else np.add(out, found, out=out)
        assert out is not None
        return out

    def _of_bias(self, samples: slice) -> Floats:
        """The input of a bias, which is 1 in each sample."""
        return np.full((len(self.inputs[samples]), 1), 1 / self.size)


def _groups(feature: IndexArray) -> Iterator[tuple[int, slice]]:
    """The number of each group of features that occurs, -1 for biases, and its slice of `feature`, sorted."""
    if not len(feature):
        return
    first, last = (int(feature[k]) // FEATURE_GROUP for k in (0, -1))  # a bias gives -1 // FEATURE_GROUP = -1
    cuts = np.searchsorted(feature, np.arange(first + 1, last + 1) * FEATURE_GROUP).tolist()
    for number, (start, stop) in enumerate(pairwise([0, *cuts, len(feature)]), start=first):
        if start < stop:
            yield number, slice(start, stop)


def reaches(largest: Floats, feature: IndexArray, offsets: Floats) -> Floats:
    """The largest |du| of each coordinate with offsets (m, S), shape (m,)."""
    return np.asarray(largest_of_each(offsets) * largest[feature])


def can_have_tables(place: Place) -> bool:
    """Whether a weight of the layer moves one unit in each sample, and no later layer mixes samples."""
    return place.kind is networks.Dense and place.x.ndim == 2 and place.samples_stay_apart


@dataclass(frozen=True, eq=False)
class TabledLayer:
    """A Dense layer, and how to evaluate changes of its units."""

    width: int  # units of the layer
    inputs: FloatArray  # x, (samples, features)
    units: IndexArray  # the units to make tables of, increasing
    node_values: NodeValues
    rounding: float
    """The rounding error of a sample's loss where changes are differences of two losses, else 0."""
    least_saving: int | None = None
    """A table is made where it saves at least this many values; None for LEAST_SAVING."""
    largest: Floats | None = None
    """What `largest_of_features` gives of the inputs, where that is known."""


def largest_of_features(inputs: FloatArray) -> Floats:
    """(features + 1,) the largest |x| of each feature of inputs (samples, features), and 1 for the bias."""
    largest = np.zeros(inputs.shape[1])
    for n in range(0, len(inputs), SAMPLE_GROUP):
        np.maximum(largest, np.abs(inputs[n : n + SAMPLE_GROUP]).max(axis=0, initial=0.0), out=largest)
    return np.append(largest, 1.0)


def make_table(layer: TabledLayer, feature: IndexArray, offsets: Floats) -> UnitTable | None:
    """The table of one layer for some coordinates of a plan; None where it would save too little.

    Parameters
    ----------
    layer : TabledLayer
    feature : (m,) the input features of the coordinates, all of them weights into the layer's `units`
    offsets : (m, S) of the coordinates
    """
    inputs = np.asarray(layer.inputs, dtype=np.float64)  # a layer of the user's own may give another dtype
    samples, rounding = len(inputs), layer.rounding
    units = layer.units[: TABLE_BYTES // (BYTES_OF_A_NODE * samples)]
    least = LEAST_SAVING if layer.least_saving is None else layer.least_saving
    if offsets.size < least + len(POINTS) * len(units) or not len(units):
        return None
    some = slice(None, None, max(1, len(feature) // REACH_SAMPLE))
    largest = largest_of_features(inputs) if layer.largest is None else layer.largest
    reach = reaches(largest, feature[some], offsets[some])
    reach = reach[reach > 0]
    if not len(reach) or not np.isfinite(reach).all():
        return None
    span = float(min(reach.max(), LARGEST_REACH * np.median(reach))) * (DIFFERENCE_RANGE if rounding else 1.0)
    d = float(2.0 ** np.ceil(np.log2(span)))
    size = float(2.0 ** np.ceil(np.log2(largest.max())))
    coefficients, has = np.full((4, samples, layer.width), np.nan), np.zeros(layer.width, dtype=bool)
    with np.errstate(all="ignore"):  # a unit with a NaN or an infinity gets no table
        f = layer.node_values(units, d * POINTS)
        fitted, good = _fit(f / (d * POINTS), DIFFERENCE_ROUNDINGS * rounding / d)
    has[units] = good
    coefficients[:, :, units] = np.where(good, np.moveaxis(fitted, 1, 2), np.nan)
    return UnitTable(d, size, inputs, largest, coefficients, has)


def _fit(g: Floats, error: float) -> tuple[Floats, Bools]:
    """Coefficients (4, units, samples) of slopes f(du) / du, and which units (units,) they fit.

    The slopes g (units, samples, 6) are known to `error`.
    """
    g = np.moveaxis(g, -1, 0)
    even, odd = (g[[5, 3, 4]] + g[[0, 2, 1]]) / 2, (g[[5, 3, 4]] - g[[0, 2, 1]]) / 2  # at 1, 1/2, 3/4
    a2, a3 = (even[0] - even[1]) * (4 / 3), (odd[0] - 2 * odd[1]) * (4 / 3)
    a0, a1 = even[0] - a2, odd[0] - a3
    off = np.abs(even[2] - (a0 + 0.5625 * a2)) + np.abs(odd[2] - (0.75 * a1 + 0.421875 * a3))
    good = off.max(axis=1) <= FIT_TOLERANCE * np.abs(g).max(axis=(0, 2)) + error
    return np.stack([a0, a1, a2, a3]), good
