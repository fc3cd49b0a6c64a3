"""Detectors of a wrong sum and of clipping: claimed entries that are equal, and entries at a limit.

Notation: g, d, e, t as in evidence.py; c = the limit to which the claimed gradient is clipped.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fastgrad.arrays import Floats
from fastgrad.diagnosis.evidence import BOUNDS_ALLOWED, RELATIVE_ALLOWED, Evidence, Explanation

SAME_NUMBER = 1e-12
"""The largest relative difference of entries that were broadcast from one number. Later operations may add
rounding errors."""

FEWEST_EQUAL = 3
"""The fewest equal entries that are called a broadcast."""

FEWEST_AT_THE_LIMIT = 2
"""The fewest entries at a limit that are called clipped."""


def broadcast(block: Evidence) -> Explanation | None:
    """All claimed entries are equal, or all along an axis, and those of the gradient are not."""
    if not block.explicable:
        return None
    facts = block.facts
    if len(facts.d) >= FEWEST_EQUAL and _equal(block.claimed):
        v = float(block.claimed[0])
        what = _sum_or_mean(np.full(1, v), block, tuple(range(len(block.shape)))) if block.whole else ""
        is_what = f", the {what} of all numeric ones" if what else ""
        return Explanation(
            "broadcast",
            f"every claimed entry is {v:.6g}{is_what}, where numeric goes from {facts.d.min():.6g} to "
            f"{facts.d.max():.6g}: look for a sum over too many axes, or a broadcast",
        )
    if not block.whole or len(block.shape) < 2:
        return None
    for axis, n in enumerate(block.shape):
        if n > 1 and _varies_only_elsewhere(block, axis):
            what = _along(block, axis)
            return Explanation(
                "broadcast",
                f"all claimed entries along axis {axis} are equal{what}, those of numeric are not: look for "
                "a sum over the wrong axis, then broadcast",
            )
    return None


def _equal(g: Floats) -> bool:
    return bool(g.max() - g.min() <= SAME_NUMBER * np.abs(g).max())


def _varies_only_elsewhere(block: Evidence, axis: int) -> bool:
    g = block.claimed.reshape(block.shape)
    if not (np.ptp(g, axis=axis) <= SAME_NUMBER * np.abs(g).max(axis=axis)).all():
        return False
    d = np.where(block.known, block.numeric, 0.0).reshape(block.shape)
    from_mean = (d - d.mean(axis=axis, keepdims=True)).reshape(-1)[block.known]
    return block.facts.visible(from_mean) > 1


def _along(block: Evidence, axis: int) -> str:
    """The axis over which the equal entries are the sum or mean of the numeric ones, in words."""
    profile = np.take(block.claimed.reshape(block.shape), 0, axis=axis)
    for other in range(len(block.shape)):
        turned = tuple(n for a, n in enumerate(block.shape) if a != other)
        if turned == profile.shape:
            what = _sum_or_mean(profile, block, (other,))
            if what:
                return f", the {what} of numeric over axis {other}"
    return ""


def _sum_or_mean(profile: Floats, block: Evidence, axes: tuple[int, ...]) -> str:
    """The word "sum" or "mean", if the profile is that of the numeric ones over some axes; else empty."""
    if not block.known.all():
        return ""
    d, e = block.numeric.reshape(block.shape), block.bound.reshape(block.shape)
    total = np.atleast_1d(d.sum(axis=axes))
    room = np.atleast_1d(BOUNDS_ALLOWED * e.sum(axis=axes) + RELATIVE_ALLOWED * np.abs(d).sum(axis=axes))
    count = block.size // total.size
    for what, n in (("sum", 1), ("mean", count)):
        if (np.abs(profile - total / n) <= room / n).all():
            return what
    return ""


def clipped(block: Evidence) -> Explanation | None:
    """The claimed gradient is right, with all entries beyond c set to c."""
    if not block.explicable:
        return None
    facts = block.facts
    for low, high, words in _limits(facts.g):
        H = np.clip(facts.d, low, high)
        at_limit = np.abs(facts.g - facts.d) > facts.t
        if (
            not (np.abs(facts.g - H) <= facts.t).all()
            or at_limit.sum() < FEWEST_AT_THE_LIMIT
            or at_limit.all()
        ):
            continue
        if np.isin(facts.g[at_limit], (low, high)).all():
            return Explanation(
                "clipped",
                f"{words} in the claim: {int(at_limit.sum())} numeric ones go beyond, and the others agree; "
                "compare gradients before they are clipped",
            )
    return None


def _limits(g: Floats) -> Iterator[tuple[float, float, str]]:
    """The limits to which the claimed gradient may be clipped: on both sides, or on one."""
    c, low, high = float(np.abs(g).max()), float(g.min()), float(g.max())
    yield -c, c, f"no entry is beyond +-{c:.6g}"
    yield -np.inf, high, f"no entry is above {high:.6g}"
    yield low, np.inf, f"no entry is below {low:.6g}"
