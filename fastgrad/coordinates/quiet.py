"""The noise that coordinates have of their own, where it is far less than that of the cost.

Values at -2h, -h, 0, h and 2h of a cost in float32 may lie on a line for being rounded to a grid: if their
distance is near a multiple of the grid's, all are rounded alike. A sum of such values in double precision
does not even show the grid. Values between them tell: on a line of rounded values they are off by about as
much as rounding leaves. (A check of a product with u^T J, of which a parameter moves one float32 output.)
"""

from __future__ import annotations

import numpy as np

from fastgrad.arrays import Floats, IndexArray, Values
from fastgrad.coordinates.setting import Setting
from fastgrad.differences.noise import QUIET, SAFETY_OF_QUIET, quieter

BETWEEN = np.array([-0.6180339887498949, 1.4142135623730951])
"""In units of the step: the golden section and the root of 2, far from fractions of small numbers, and from
one another: where a multiple of one is near a whole number, that of the other is not."""


def own_noise(
    setting: Setting, indices: IndexArray, steps: Floats, f: Values, d: Floats, sigma: Floats
) -> Floats:
    """The noise of each coordinate's values: `sigma`, or less where its own values show less.

    Parameters
    ----------
    setting : Setting
    indices, steps : (m,)
    f : (m, 4) values at -2h, -h, h, 2h
    d : (m, 4) the displacements
    sigma : (m,) as measured elsewhere
    """
    found = quieter(sigma, f, setting.f0)
    some = np.flatnonzero(found < sigma)
    if len(some):
        e = setting.displacements(indices[some], steps[some, None] * BETWEEN)
        between = setting.evaluate(indices[some], e)
        with np.errstate(all="ignore"):
            off = np.abs(between - interpolated(f[some], d[some], setting.f0, e)).max(axis=1)
            rounded = ~(off <= SAFETY_OF_QUIET * QUIET * sigma[some])
        found[some[rounded]] = sigma[some[rounded]]
    return found


def interpolated(f: Values, d: Floats, f0: float, e: Floats) -> Floats:
    """The polynomial through values at d and through f0 at 0, at other places (Lagrange's form).

    Parameters
    ----------
    f, d : (m, S) values, and the displacements at which they are
    f0 : the value at 0
    e : (m, E) where it is evaluated

    Examples
    --------
    >>> d = np.array([[-2.0, -1.0, 1.0, 2.0]])
    >>> interpolated(d**3 + 5, d, 5.0, np.array([[3.0]]))
    array([[32.]])
    """
    found = np.full(e.shape, f0)
    for s in range(d.shape[1]):
        weight = e / d[:, [s]]
        for t in range(d.shape[1]):
            if t != s:
                weight = weight * (e - d[:, [t]]) / (d[:, [s]] - d[:, [t]])
        found = found + weight * (f[:, [s]] - f0)
    return found
