"""Kinks and jumps: how they show in differences at several steps, and the slopes on their two sides.

Notation: S(h) = f(h) - 2 f(0) + f(-h). S(2h) / S(h) is 4 where f is smooth, and 2 across a kink at the point.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fastgrad.arrays import Bools, Floats
from fastgrad.differences.rulings import Believed

KINKED = 3.0
"""S(2h) / S(h) is 4 where a cost is smooth and 2 across a kink at the point (docs/numerics.md, Kinks)."""


def has_kink_at_four_points(g: Floats, sigma: Floats, z: float) -> npt.NDArray[np.bool_]:
    """Whether S(h) = g(h) + g(-h) stands out from noise and does not shrink to a quarter of S(2h).

    Parameters
    ----------
    g : (m, 4) values at -2h, -h, h, 2h minus that at the parameters
    sigma : (m,)
    z : the quantile
    """
    with np.errstate(invalid="ignore"):
        near, far = np.abs(g[:, 1] + g[:, 2]), np.abs(g[:, 0] + g[:, 3])
        return np.asarray((near > z * 2.45 * sigma) & (far < KINKED * near))


HALVING = (1.4, 2.8)
"""|S_k / h_k^2| grows by 2 from level to level across a kink, 1 where f is smooth (docs/numerics.md,
Ladder)."""

ENDED = 4.0
"""How many times its noise the last S_k that stands out may be: a kink at the point itself fades into noise,
one beside it ends at once, at the level that no longer reaches it."""

FALLING = 6
"""Levels over which |S_k| / h_k, the difference of the slopes on the two sides, must fall to a quarter."""

GROWING = 16.0
"""Nor may it grow so much: the slopes of sqrt|x| grow by 8, those of noise or of a jump by 64."""

NEAREST = 6
"""Levels from which the slopes on the two sides of a kink are taken where they do not converge: the kink is
then beside the point, closer than the finest step."""

STANDING = 0.75
"""f(h) - f(0) halves from level to level; across a jump it stands still."""


def has_kink(s: Floats, h: Floats, noise: Floats) -> Bools:
    """Whether S_k halves from level to level, down to where it fades into noise."""
    clear = (np.abs(s) > 2 * noise) & np.isfinite(s)
    growth: Floats = np.abs(s[:, 1:] / s[:, :-1]) * (h[:, :-1] / h[:, 1:]) ** 2
    halves = (growth > HALVING[0]) & (growth < HALVING[1]) & clear[:, 1:] & clear[:, :-1]
    twice = halves[:, 1:] & halves[:, :-1]  # levels k - 2, k - 1, k
    last = s.shape[1] - 1 - np.argmax(clear[:, ::-1], axis=1)
    rows = np.arange(len(s))
    fades = (np.abs(s[rows, last]) <= 2 * ENDED * noise[rows, last]) | (last == s.shape[1] - 1)
    near_last = np.arange(2, s.shape[1]) >= last[:, None] - 1
    rough = np.abs(s) / h
    before = np.maximum(last - FALLING, 0)
    over_levels = rough[rows, last] / rough[rows, before]
    stays = (last >= FALLING) & clear[rows, before] & (over_levels > 1 / 4) & (over_levels < GROWING)
    return np.asarray(clear.any(axis=1) & fades & ((twice & near_last).any(axis=1) | stays))


def side_slopes(
    slopes: tuple[Floats, Floats], sides: list[Believed], blur: Floats, sure: float
) -> tuple[Floats, Floats]:
    """The least and the greatest that the derivative on either side can be, its bound times `sure`."""
    lower, upper = [], []
    for slope, side in zip(slopes, sides, strict=True):
        near, width = slope[:, -NEAREST:], blur[:, -NEAREST:]
        low, high = (near - width).min(axis=1), (near + width).max(axis=1)
        runaway = _runs_away(near)
        low, high = np.where(runaway < 0, -np.inf, low), np.where(runaway > 0, np.inf, high)
        known = 2 * side.bound < high - low  # a level may be believed for being wide
        known |= ~np.isfinite(high - low) & np.isfinite(side.bound)
        lower.append(np.where(known, side.numeric - sure * side.bound, low))
        upper.append(np.where(known, side.numeric + sure * side.bound, high))
    return np.minimum(*lower), np.maximum(*upper)


def _runs_away(near: Floats) -> Floats:
    """Where slopes go on as the step shrinks, as those of x log x at 0 do: 1 up, -1 down, 0 neither."""
    step = np.diff(near, axis=1)
    one_way = (step > 0).all(axis=1) | (step < 0).all(axis=1)
    slower = np.abs(step[:, -1]) < np.abs(step[:, 0]) / 2
    return np.where(one_way & ~slower, np.sign(step[:, -1]), 0.0)


def has_jump(change: Floats, noise: Floats) -> Bools:
    """Whether the larger change to either side stands still over the finest levels."""
    clear = (change > 4 * noise)[:, -3:].all(axis=1)
    return np.asarray(clear & (change[:, -3:] > STANDING * change[:, -4:-1]).all(axis=1))


FINEST = 9
"""Levels, of the finest, over which a change that stands still to the last digit is a jump at the point."""


def stands_still(after: Floats, before: Floats) -> Bools:
    """Whether the change to one side is the same, and not zero, at all of the finest steps.

    Noise does not matter here: where all of it comes from a jump, none stands out.

    Parameters
    ----------
    after, before : (M, K) f(h) - f(0) and f(-h) - f(0), h from large to small

    Examples
    --------
    >>> h = 2.0 ** -np.arange(12)
    >>> stands_still(0 * h[None], -1 + 0 * h[None]).tolist(), stands_still(h[None], -h[None]).tolist()
    ([True], [False])
    """
    sides = [side[:, -FINEST:] for side in (after, before)]
    with np.errstate(invalid="ignore"):  # outside the domain
        same = [(np.ptp(side, axis=1) == 0) & (side[:, -1] != 0) for side in sides]
    return np.asarray(same[0] | same[1])
