"""Rounding inside a cost: what its value leaves, what its value does not show, and arithmetic in float32."""

from __future__ import annotations

import math

import numpy as np

from fastgrad.arrays import Floats

ROUNDING_SD = 0.289
"""Standard deviation of rounding to a grid, in units of the grid: 1/sqrt(12)."""

SINGLE_EPSILON = float(np.finfo(np.float32).eps)
SINGLE_NOISE = (SINGLE_EPSILON / 16, SINGLE_EPSILON * 16)
"""Noise over |J| that float32 arithmetic leaves: one rounding is 0.289 epsilon, sums and means of many
make it a few times more or less."""

SINGLE_BITS = 24
SHORT_BITS = 23
"""Numbers of so few significant bits (counts, halves, what is left of 1e10 + J - 1e10) are float32 numbers
without float32 arithmetic."""


def rounding_floor(largest: float, epsilon: float) -> float:
    """The standard deviation that rounding leaves in values up to `largest`: 0.289 ulp, never 0.

    Examples
    --------
    >>> rounding_floor(1.5, 2.0**-52) == 0.289 * 2.0**-52
    True
    """
    ulp = math.ldexp(epsilon, math.frexp(largest)[1] - 1) if math.isfinite(largest) and largest > 0 else 0.0
    return max(ROUNDING_SD * ulp, 5e-324)


def looks_single_precision(values: Floats, sigma: float = math.nan) -> bool:
    """Whether a float64 cost does its arithmetic in float32.

    It does if all its values near one point are float32 numbers (a float64 number is one by chance once
    in 2^29), three of them different and not all of a few bits; or if its noise is known, and is
    2^20 times rounding or more and what float32 leaves in values of this size.

    Parameters
    ----------
    values : values of the cost near one point, of any shape
    sigma : their noise, if it is known
    """
    v = np.unique(values[np.isfinite(values) & (values != 0)])
    if not len(v):
        return False
    mantissa = np.frexp(v)[0]  # float32's range is no matter: its 24 bits are
    long = mantissa * 2.0**SHORT_BITS % 1 != 0
    on_grid = bool((mantissa * 2.0**SINGLE_BITS % 1 == 0).all())
    if len(v) >= 3 and on_grid and long.any():
        return True
    largest = float(np.abs(v).max())
    floor = rounding_floor(largest, float(np.finfo(np.float64).eps))
    least, most = SINGLE_NOISE
    return sigma >= 2.0**20 * floor and least * largest <= sigma <= most * largest


def smallest_visible_change(after: Floats, before: Floats) -> Floats:
    """The smallest change that gets through, of each row that shows it; else 0.

    Parameters
    ----------
    after, before : (m, K) f(h) - f(0) and f(-h) - f(0) for steps h from large to small

    Examples
    --------
    >>> steps = 2.0 ** -np.arange(10)
    >>> moved = np.round(steps * 50)[None] / 50
    >>> float(smallest_visible_change(moved, -moved)[0])
    0.02
    >>> float(smallest_visible_change(steps[None], -steps[None])[0])
    0.0
    """
    with np.errstate(invalid="ignore", over="ignore", under="ignore"):
        still = (after == 0) & (before == 0)
        alike = (after * before < 0) & (np.abs(after + before) <= np.abs(after - before) / 2)
        three = alike[:, 2:] & alike[:, 1:-1] & alike[:, :-2]
        seen = three.any(axis=1) & still[:, -2:].all(axis=1)
        changes = np.abs(np.concatenate([after, before], axis=1))
        smallest = np.min(changes, axis=1, initial=np.inf, where=(changes > 0))
    return np.where(seen & np.isfinite(smallest), smallest, 0.0)
