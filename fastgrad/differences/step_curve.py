"""What a central difference does as its step shrinks, and the two errors that it is made of.

Notation, along one coordinate: x = the parameter, h = step, D(h) = the central difference, sigma = the noise
of a value,

    D(h) = J'(x) + c h^2 + O(h^4) + noise of 0.707 sigma / h        c = J'''(x) / 6

The report draws D(h) against h; nothing is evaluated here.
"""

from __future__ import annotations

import numpy as np

from fastgrad.arrays import Floats
from fastgrad.differences.bounds import HALF_DIFFERENCE_SD
from fastgrad.differences.steps import ULPS_OF_A_RAISED_STEP

MOST_STEPS = 25
"""Steps of a curve, at most where the check's own step is between rounding and size: in float64 each is four
times the one before, in float32 twice."""

STANDS_OUT = 16.0
"""A change of slope shows truncation if it is so many times what noise makes of it."""

LIKE_A_SQUARE = 2.0
"""By what factor the change of slope from step to step may differ from that of h^2."""


def curve_steps(x: float, size: float, epsilon: float, taken: float) -> Floats:
    """(s,) increasing steps, from 16 roundings of x to the size of the parameter; `taken` is one of them.

    Parameters
    ----------
    x : the parameter
    size : its size; of a zero that of others
    epsilon : machine epsilon of its dtype
    taken : the step that the check took; NaN where it is not known

    Examples
    --------
    >>> steps = curve_steps(1.0, 1.0, 2.0**-52, 2.0**-17)
    >>> np.log2(steps[:2]).tolist(), np.log2(steps[-2:]).tolist(), len(steps), 2.0**-17 in steps
    ([-47.0, -45.0], [-3.0, -1.0], 24, True)
    """
    most = max(abs(x), size)
    least = max(ULPS_OF_A_RAISED_STEP * epsilon * most, float(np.finfo(np.float64).tiny))
    if not taken > 0:
        taken = 2.0 ** np.round(np.log2(max(epsilon ** (1 / 3) * size, least)))
    most, least = max(most, taken), min(least, taken)
    octaves = np.log2(most) - np.log2(least)
    each = max(1, int(np.ceil(octaves / (MOST_STEPS - 1))))
    down, up = (int(np.floor(abs(np.log2(end) - np.log2(taken)) / each)) for end in (least, most))
    return np.asarray(taken * 2.0 ** (each * np.arange(-down, up + 1.0)))


def noise_branch(steps: Floats, constant: float, proportional: float) -> Floats:
    """(s,) the standard deviation that noise gives a central difference at each step.

    Parameters
    ----------
    steps : (s,)
    constant, proportional : the standard deviation of a value is constant + proportional * step

    Examples
    --------
    >>> noise_branch(np.array([0.5, 0.25]), 1.0, 0.0)
    array([1.414, 2.828])
    """
    return np.asarray(HALF_DIFFERENCE_SD * (constant + proportional * steps) / steps)


def truncation_branch(steps: Floats, slopes: Floats, noise: Floats) -> Floats:
    """(s,) |c| h^2, with c from the finest steps at which slopes change as h^2 does; NaN where none do.

    Parameters
    ----------
    steps, slopes : (s,) increasing steps, and the central difference at each
    noise : (s,) what noise gives a slope; NaN where it is not known

    Examples
    --------
    >>> h = 2.0 ** np.arange(-6, 0)
    >>> bool(np.allclose(truncation_branch(h, 3 + 5 * h**2, 0 * h), 5 * h**2))
    True
    >>> bool(np.isnan(truncation_branch(h, 3 + 0 * h, 0 * h)).all())
    True
    """
    with np.errstate(all="ignore"):
        change = np.abs(np.diff(slopes))
        seen = change > STANDS_OUT * np.nan_to_num(noise[:-1])
        square = (steps[1:] / steps[:-1]) ** 2
        ratio = change[1:] / change[:-1] / square[:-1]
        alike = (ratio > 1 / LIKE_A_SQUARE) & (ratio < LIKE_A_SQUARE) & seen[:-1]
    alike = alike[:-1] & alike[1:]  # twice in a row: noise grows so once by chance
    if not alike.any():
        return np.full(len(steps), np.nan)
    k = int(np.argmax(alike))
    c = change[k] / (steps[k + 1] ** 2 - steps[k] ** 2)
    return np.asarray(c * steps**2)
