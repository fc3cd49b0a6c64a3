"""Fits of one number or two: d = c r, and d = c1 r1 + c2 r2, for all entries or by groups of them.

Detectors call these with (m,) arrays and get `Number` values, or a number for each group.

Notation: r = a regressor, d = the target, t = the largest |d - fit| allowed at each entry. The fit of one
number is the interval of all values for which every entry is within its t: an entry with a large t does not
narrow it. Two numbers are fitted by least squares with weights 1 / t^2. Then each gets its interval, with the
other one fixed.
"""

from __future__ import annotations

import numpy as np

from fastgrad.arrays import Floats, IndexArray
from fastgrad.diagnosis.evidence import Number

PARALLEL = 1e-12
"""Two regressors with 1 - cos^2 below this are parallel, and cannot be fitted together."""


def slope(r: Floats, d: Floats, t: Floats) -> Number | None:
    """All c with |d - c r| <= t everywhere; None if there is none, or if r is zero.

    Examples
    --------
    >>> slope(np.array([1.0, 2.0]), np.array([3.0, 6.2]), np.array([0.1, 0.2]))
    Number(low=3.0, high=3.1)
    >>> slope(np.array([1.0, 2.0]), np.array([3.0, 7.0]), np.array([0.1, 0.2])) is None
    True
    """
    on = r != 0
    if not on.any() or (np.abs(d[~on]) > t[~on]).any():
        return None
    one, other = (d[on] - t[on]) / r[on], (d[on] + t[on]) / r[on]
    low, high = float(np.minimum(one, other).max()), float(np.maximum(one, other).min())
    return Number(low, high) if low <= high and np.isfinite([low, high]).all() else None


def two_slopes(r1: Floats, r2: Floats, d: Floats, t: Floats) -> tuple[Number, Number] | None:
    """c1 and c2 with |d - c1 r1 - c2 r2| <= t everywhere; None if there are none, or if r1 or r2 is zero."""
    groups = np.zeros(len(d), dtype=np.intp)
    c = grouped_slopes((r1, r2), d, t, groups)
    if c is None:
        return None
    first, second = slope(r1, d - c[1, 0] * r2, t), slope(r2, d - c[0, 0] * r1, t)
    return None if first is None or second is None else (first, second)


def grouped_slopes(regressors: tuple[Floats, ...], d: Floats, t: Floats, groups: IndexArray) -> Floats | None:
    """Least squares for each group, with one regressor or two.

    Parameters
    ----------
    regressors : one array or two, (m,) each
    d, t : (m,) the target and its tolerance
    groups : (m,) the number of each entry's group

    Returns
    -------
    (regressors, groups) array, or None
        NaN for a group in which the regressors are zero or parallel; None if a regressor or d is all zeros.
    """
    if len(d) == 0:
        return None
    scales = [float(np.abs(v).max()) for v in (*regressors, d)]
    if not min(scales) > 0:
        return None
    w = t.min() / t
    r = [w * v / s for v, s in zip(regressors, scales, strict=False)]
    y = w * d / scales[-1]
    count = int(groups.max()) + 1

    def dot(u: Floats, v: Floats) -> Floats:
        return np.bincount(groups, weights=u * v, minlength=count).astype(np.float64, copy=False)

    if len(r) == 1:
        c = (dot(r[0], y) / dot(r[0], r[0]))[None]
    else:
        aa, ab, bb = dot(r[0], r[0]), dot(r[0], r[1]), dot(r[1], r[1])
        ay, by = dot(r[0], y), dot(r[1], y)
        det = aa * bb - ab * ab
        det = np.where(det > PARALLEL * aa * bb, det, np.nan)
        c = np.stack([(bb * ay - ab * by) / det, (aa * by - ab * ay) / det])
    return np.asarray(c * (scales[-1] / np.array(scales[:-1]))[:, None])
