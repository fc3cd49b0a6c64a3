"""Jumps of the cost near the parameters: the trace of an inner iteration that stops at a tolerance.

A cost that iterates (a root, a fixed point, an integral) is smooth as long as the number of its iterations
stays the same. Its differences at fine steps show that slope to many digits, and it is not the one of the
limit. Where the number changes the cost jumps. Such jumps are noise at the steps at which they are many, and
at these the slope is that of the limit on average.

A kink is no jump: halve the gap around it, and the change is half as large.
"""

from __future__ import annotations

import numpy as np

from fastgrad.arrays import Floats, IndexArray
from fastgrad.coordinates.setting import Setting

POINTS = 33
"""Points at which the cost is looked at along one coordinate."""

HALF, FAR = 2.0**-6, 2.0**-2
"""How far they reach to either side, in units of the parameter's size: first close by, then farther."""

LIKE = 2.0**5
"""A jump farther away is the trace of an iteration if it is like the error, slope times size, within this
factor: what stops too early leaves as much in the slope as in the value."""

SUSPECTS = 3
"""Gaps between neighbouring points that are looked into: those across which values least continue."""

HALVINGS = 24
"""How often such a gap is halved."""

LAST = 10
"""Over so many of the last halvings the change stays where there is a jump: that of a slope falls to 1e-3."""

VISIBLE = 32.0
"""A jump is believed if it is so many times the noise."""

EVALUATIONS = 2 * (POINTS + SUSPECTS * HALVINGS)
"""Evaluations along one coordinate."""


def largest_jump(setting: Setting, index: int, off: float) -> float:
    """The largest jump that is found along one coordinate; 0 where none is.

    Parameters
    ----------
    setting : Setting
    index : its flat index
    off : by how much the claim is off there
    """
    close = _largest_within(setting, index, HALF)
    if close:
        return close
    far, like = _largest_within(setting, index, FAR), _size(setting, index) * off
    return far if like / LIKE <= far <= like * LIKE else 0.0


def _size(setting: Setting, index: int) -> float:
    return float(setting.calibration.scales(np.array([index], dtype=np.intp)).size[0])


def _largest_within(setting: Setting, index: int, half: float) -> float:
    """The largest jump within so many sizes to either side."""
    one = np.array([index], dtype=np.intp)
    scales = setting.calibration.scales(one)
    offsets = np.linspace(-half, half, POINTS)[None] * scales.size[0]
    d = setting.displacements(one, offsets)
    f = setting.evaluate(one, d)[0] - setting.f0
    with np.errstate(all="ignore"):  # values may be inf
        jumps = [_looked_into(setting, one, d[0], f, int(gap)) for gap in suspects(f)]
    sigma = float(scales.constant[0])
    return max((jump for jump in jumps if jump > VISIBLE * sigma), default=0.0)


def _looked_into(setting: Setting, one: IndexArray, d: Floats, f: Floats, gap: int) -> float:
    """The change across a gap that stays however small the gap becomes; 0 where it goes with it."""
    low, high, before, after = d[gap], d[gap + 1], f[gap], f[gap + 1]
    slope = ((f[gap] - f[gap - 2]) + (f[gap + 3] - f[gap + 1])) / (2 * (d[gap + 2] - d[gap]))
    changes = []
    for _ in range(HALVINGS):
        middle = float(setting.displacements(one, np.array([[(low + high) / 2]]))[0, 0])
        if not low < middle < high:
            break
        value = float(setting.evaluate(one, np.array([[middle]]))[0, 0]) - setting.f0
        first, second = value - before - slope * (middle - low), after - value - slope * (high - middle)
        if not np.isfinite(value):
            return 0.0
        if abs(first) > abs(second):
            high, after = middle, value
        else:
            low, before = middle, value
        changes.append(float(abs(after - before)))
    stays = len(changes) > LAST and changes[-1] > changes[-LAST] / 2
    return changes[-1] if stays else 0.0


def suspects(f: Floats) -> IndexArray:
    """The gaps across which values at equal distances least continue those on either side.

    Parameters
    ----------
    f : (POINTS,)

    Examples
    --------
    >>> t = np.linspace(0, 1, POINTS)
    >>> int(suspects(np.sin(t) + 1e-3 * (t > 0.51))[0])
    16
    """
    with np.errstate(invalid="ignore"):
        left = 3 * f[2:-3] - 3 * f[1:-4] + f[:-5]  # continued quadratically by one point
        right = 3 * f[3:-2] - 3 * f[4:-1] + f[5:]
        apart = np.minimum(np.abs(left - f[3:-2]), np.abs(right - f[2:-3]))  # of gaps beside it one is 0
    apart = np.where(np.isfinite(apart), apart, 0.0)
    return np.asarray(np.argsort(-apart, kind="stable")[:SUSPECTS] + 2)
