"""The adjudicator: a ladder of steps for coordinates that the screen flagged or could not bound.

Notation: f the cost along one coordinate, h_k = h_0 2^-k the steps, sigma = noise of f,

    D_k = [f(h_k) - f(-h_k)] / 2h_k        S_k = f(h_k) - 2 f(0) + f(-h_k)        Delta_k = D_k - D_{k-1}
    N_k = D_k -+ Z 0.71 sigma / h_k                            right as soon as truncation is small
    J_k = (4 D_k - D_{k-1}) / 3 -+ (Z 1.33 sigma / h_k + |Delta_k| / 3 + U_k)     right from h_k on
    U_k = 2 max |S_{j-1} / h_{j-1} - 2 S_j / h_j|, j = k-1 .. k+1, less its noise        what kinks may do

A level is believed if its J meets N of every finer level, which needs no smoothness beyond the finest step
(Lepski's rule of intersecting intervals; docs/numerics.md, Ladder), and if the Delta shrink as they do for a
smooth f: where they shrink by a ratio r > 1/2 only, what is left of their geometric series is the bound, and
where they do not shrink there is none. Of the levels that are believed the one with the narrowest J decides.

The same is done with D4_k = (4 D_k - D_{k-1}) / 3, which is good to fourth order and so at larger steps,
higher above noise: where the two decisions meet the narrower one counts.

    kink at the point     S_k = J h_k for a slope jump J: |S_k| halves from level to level (smooth: quarters),
                          or |S_k| / h_k does not fall at all over six levels (smooth: to 1/64)
    end of the domain     one side has no values at any level: one-sided differences, the same way
    jump                  f(h_k) - f(0) stands still, D_k doubles, and nothing is believed
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from fastgrad.arrays import Bools, Evaluate, Floats, IndexArray
from fastgrad.differences.bounds import unevenness
from fastgrad.differences.kinks import has_jump, has_kink, side_slopes, stands_still
from fastgrad.differences.reasons import Reason
from fastgrad.differences.rounding import smallest_visible_change
from fastgrad.differences.rulings import Believed, NoiseModel, Rulings
from fastgrad.differences.steps import ULPS_OF_A_RAISED_STEP, representable

TOP = 2.0**-2
"""The first step, in units of the block's typical size: wide enough for a float32 cost or a large offset."""

LEVELS = 26
"""Steps down to 2^-27 of the typical size, 1e-8: past the last at which a float64 difference is of use, and
so inside a kink 1e-7 away."""

UNRELATED = 0.7
"""What the steps of a confirmation are multiplied by: not a power of two, that no rounding is shared
(docs/numerics.md, Verdict)."""

SMOOTH = 0.5
"""Delta of a smooth f shrink by 1/4 (central) or 1/2 (one-sided) from level to level."""

HIDDEN = 1.4
"""What the noise of a level is multiplied by: kinks whose effect is within the noise are not seen, and it is
the quietest of all levels that decides."""

KINKS = 2.0
"""What `unevenness` of the levels around is multiplied by. Of 5,800 coordinates of relu networks in float32
whose kinks are closer than noise lets one see, 22% were off by more than the bound without it, up to 750
times; 0.15% with it, up to 2.9 times. A second ladder at unrelated steps catches those."""

SURE = 3.0
"""What bounds are multiplied by of what is about to be called wrong, and of slopes beside kinks: of 13,000
coordinates of relu networks in float32 four were off by more than the bounds of both ladders, up to 2.3
times."""

SHARP = 4.0
"""Where the parameter is zero, which is where kinks are, and noise hides the finest steps, a kink is one at
the point only if the slopes on its sides are apart by so many times what they are known to."""

AT_THE_POINT = 2.0**-20
"""Elsewhere a kink is one at the point if noise lets see that it is no farther away than so much of the
parameter. In float32 it does not: kinks within 1e-4 look alike, and of relu networks most are beside the
point."""

CONVERGING = 0.9
"""Delta that shrink by less than this tell nothing of where they lead."""


def adjudicate(
    sample: Evaluate,
    x: npt.NDArray[Any],
    indices: IndexArray,
    f0: float,
    *,
    scale: Floats,
    noise: NoiseModel,
    z: float,
    shift: float = 1.0,
) -> Rulings:
    """Measure M coordinates at all steps of the ladder, 52 values each.

    Parameters
    ----------
    sample : Evaluate
    x : (M,) the parameters there, in the block's dtype
    indices : (M,) their flat indices
    f0 : what `sample` would return at offset 0
    scale : (M,) the typical size of the block of each
    noise : NoiseModel
    z : the quantile of all bounds
    shift : what all steps are multiplied by

    Examples
    --------
    >>> def sample(indices, offsets):
    ...     return np.abs(offsets) + 3 * offsets
    >>> noise = NoiseModel(np.full(1, 1e-16), np.zeros(1))
    >>> found = adjudicate(sample, np.zeros(1), np.zeros(1, int), 0.0, scale=np.ones(1), noise=noise, z=5.0)
    >>> bool(found.kink[0]), round(float(found.lower[0]), 6), round(float(found.upper[0]), 6)
    (True, 2.0, 4.0)
    """
    h, taken = _steps(x, scale, shift)
    right, left = representable(x, taken), -representable(x, -taken)
    f = np.asarray(sample(indices, np.concatenate([right, -left], axis=1)), dtype=np.float64)
    with np.errstate(all="ignore"):
        f = np.where(np.tile(h == taken, 2), f, np.nan)
        after, before = f[:, :LEVELS] - f0, f[:, LEVELS:] - f0
        width = z * (noise.at(h) + smallest_visible_change(after, before)[:, None] / 2)
        slope = (after + -before) / (right + left)
        even = after + before - slope * (right - left)
        sigma = width / z
        uneven = unevenness(even[:, 1:], even[:, :-1], h[:, 1:], sigma[:, 1:])
        central = _decide_twice(slope, 0.707 * width / h, 4.0, KINKS * largest_around(uneven))
        slopes, blur = (after / right, -before / left), 1.42 * width / h
        sides = [
            _decide_twice(one_sided, blur, 2.0, KINKS * largest_around(_uneven_side(change, d, h, sigma)))
            for one_sided, change, d in zip(slopes, (after, before), (right, left), strict=True)
        ]
        kink = has_kink(after + before, h, 2.45 * width)
        between = side_slopes(slopes, sides, blur, SURE)
        still = stands_still(after, before)
        jump = has_jump(np.maximum(np.abs(after), np.abs(before)), width) | still
        central = replace(central, bound=np.where(still, np.inf, central.bound))
    known = np.isfinite(after), np.isfinite(before)
    return _rule(central, sides, kink, between, blur[:, -1], jump, *known, h, x)


def _steps(x: npt.NDArray[Any], scale: Floats, shift: float) -> tuple[Floats, Floats]:
    """The steps (M, LEVELS), and those that are taken: of the first some may be larger than the ladder's top.

    A ladder ends where rounding of x would make two steps one, and has then fewer of them.
    """
    top = 2.0 ** np.floor(np.log2(scale))[:, None] * shift * TOP
    least = ULPS_OF_A_RAISED_STEP * np.spacing(np.abs(x)).astype(np.float64)[:, None]
    last = np.maximum(top * 0.5 ** (LEVELS - 1), least)
    doublings = np.arange(LEVELS - 1.0, -1.0, -1.0)
    most = np.maximum(np.floor(np.log2(top / last)), 0.0)
    return last * 2.0**doublings, last * 2.0 ** np.minimum(doublings, most)


def confirm(
    sample: Evaluate,
    x: npt.NDArray[Any],
    indices: IndexArray,
    f0: float,
    first: Rulings,
    *,
    scale: Floats,
    noise: NoiseModel,
    z: float,
) -> Rulings:
    """A second ladder at unrelated steps, joined with the first: where they do not meet nothing is known.

    The bound is SURE times the wider of the two, or of how far the two estimates are apart.

    Parameters
    ----------
    sample, x, indices, f0 : as for adjudicate
    first : its Rulings
    scale, noise, z : as for adjudicate
    """
    second = adjudicate(sample, x, indices, f0, scale=scale, noise=noise, z=z, shift=UNRELATED)
    with np.errstate(invalid="ignore"):
        apart = np.abs(first.numeric - second.numeric)
        meet = apart <= first.error_bound + second.error_bound
        narrower = np.where(first.error_bound <= second.error_bound, first.numeric, second.numeric)
        bound = SURE * np.maximum(np.maximum(first.error_bound, second.error_bound), apart)
    kink = first.kink & second.kink
    return replace(
        second,
        numeric=np.where(meet, narrower, np.nan),
        error_bound=np.where(meet, bound, np.inf),
        kink=kink,
        lower=np.where(kink, np.minimum(first.lower, second.lower), np.nan),
        upper=np.where(kink, np.maximum(first.upper, second.upper), np.nan),
    )


def _uneven_side(change: Floats, d: Floats, h: Floats, sigma: Floats) -> Floats:
    """U of the values on one side, of levels 1 to K - 1: as if the point was moved by h, (M, K - 1)."""
    slope = change[:, 1:] / d[:, 1:]
    even = change[:, :-1] - 2 * change[:, 1:] - slope * (d[:, :-1] - 2 * d[:, 1:])
    found = unevenness(even[:, 1:], even[:, :-1], h[:, 2:], sigma[:, 2:])
    return np.pad(found, ((0, 0), (1, 0)), mode="edge")


def largest_around(uneven: Floats) -> Floats:
    """The largest of each level's and its neighbours', (M, K)."""
    padded = np.pad(uneven, ((0, 0), (1, 1)))
    return np.asarray(np.maximum(np.maximum(padded[:, :-2], padded[:, 1:-1]), padded[:, 2:]))


def _decide_twice(d: Floats, narrow: Floats, factor: float, uneven: Floats) -> Believed:
    """The narrower of the decisions from differences d and from those extrapolated once, where they meet.

    One-sided differences gain one order by it, central ones two. `uneven` (M, K - 1) is added to the bounds
    of levels 1 to K - 1.
    """
    once = _decide(d, narrow, factor, uneven)
    better = (factor * d[:, 1:] - d[:, :-1]) / (factor - 1)
    wider = (factor + 1) / (factor - 1) * narrow[:, 1:]
    both = np.maximum(uneven[:, 1:], uneven[:, :-1])
    twice = _decide(better, wider, factor**2 if factor == 4.0 else 4.0, both)
    apart = np.abs(twice.numeric - once.numeric)
    take = (twice.bound < once.bound) & np.isfinite(once.bound) & (apart <= once.bound + twice.bound)
    return Believed(
        np.where(take, twice.numeric, once.numeric),
        np.where(take, twice.bound, once.bound),
        np.where(take, twice.level + 1, once.level),
    )


def _decide(d: Floats, narrow: Floats, factor: float, uneven: Floats) -> Believed:
    """The narrowest J that meets all finer N, for differences d (M, K) whose noise is within `narrow`.

    factor is 2^p for differences of order p: 4 for central ones, 2 for one-sided ones, 16 and 4 for those
    extrapolated once.
    """
    step, noise_of_step = np.diff(d, axis=1), narrow[:, 1:] + narrow[:, :-1]
    r = _shrinking(step, noise_of_step)
    # Delta_k and what is left of the series after it; for r <= 1/factor this is what extrapolation leaves.
    rest = np.where(r <= SMOOTH, np.abs(step) / (factor - 1), np.abs(step) / (1 - np.minimum(r, CONVERGING)))
    spread = HIDDEN * (factor + 1) / (factor - 1) * narrow[:, 1:]
    bound = np.where(r < CONVERGING, rest + spread + uneven, np.inf)
    centre = (factor * d[:, 1:] - d[:, :-1]) / (factor - 1)
    meets = _meets_all_finer(centre, bound, d[:, 1:], narrow[:, 1:])
    bound = np.where(meets & np.isfinite(centre), bound, np.inf)
    level = np.argmin(bound, axis=1)
    rows = np.arange(len(d))
    return Believed(centre[rows, level], bound[rows, level], level + 1)


def _shrinking(step: Floats, noise: Floats) -> Floats:
    """r_k = |Delta_k| / |Delta_{k-1}|, the larger of two; 0 where Delta_k is within its noise."""
    ratio = np.full(step.shape, np.inf)  # the first has none to compare with
    ratio[:, 1:] = np.abs(step[:, 1:]) / np.maximum(np.abs(step[:, :-1]), noise[:, :-1])
    ratio[:, 2:] = np.maximum(ratio[:, 2:], np.where(np.isfinite(ratio[:, 1:-1]), ratio[:, 1:-1], 0))
    quiet = np.abs(step) <= noise
    return np.where(quiet, 0.0, np.where(np.isnan(ratio), np.inf, ratio))


def _meets_all_finer(centre: Floats, bound: Floats, d: Floats, narrow: Floats) -> Bools:
    """Whether J_k meets N_j for all j >= k; levels without a value meet everything."""
    known = np.isfinite(d)
    low = np.where(known, d - narrow, -np.inf)[:, ::-1]
    high = np.where(known, d + narrow, np.inf)[:, ::-1]
    lowest_high = np.minimum.accumulate(high, axis=1)[:, ::-1]
    highest_low = np.maximum.accumulate(low, axis=1)[:, ::-1]
    return np.asarray((centre - bound <= lowest_high) & (centre + bound >= highest_low))


def _rule(
    central: Believed,
    sides: list[Believed],
    kink: Bools,
    between: tuple[Floats, Floats],
    finest: Floats,
    jump: Bools,
    after: Bools,
    before: Bools,
    h: Floats,
    x: npt.NDArray[Any],
) -> Rulings:
    has_right, has_left = after.any(axis=1), before.any(axis=1)
    rows = np.arange(len(h))
    numeric, bound, level = central.numeric, central.bound, central.level
    one_sided = np.zeros(len(h), dtype=bool)
    for side, here, there in ((sides[0], has_right, has_left), (sides[1], has_left, has_right)):
        use = here & ~there
        numeric, bound = np.where(use, side.numeric, numeric), np.where(use, side.bound, bound)
        level = np.where(use, side.level, level)
        one_sided |= use
    lower, upper = between
    kink = kink & ~jump & np.isfinite(lower) & np.isfinite(upper)
    with np.errstate(invalid="ignore"):
        middle, half = (lower + upper) / 2, (upper - lower) / 2
    kink &= one_sided | ~(bound < half / 4)  # kinks around: what they may do is in the bound
    sharp = SHARP * (sides[0].bound + sides[1].bound) < 2 * half
    with np.errstate(all="ignore"):
        hides = 2.45 * finest * h[:, -1] / half > AT_THE_POINT * np.abs(x)
    blunt = kink & np.where(x == 0, (finest > half) & ~sharp, hides)
    wider = blunt & ~(bound < half)
    numeric, bound = np.where(wider, middle, numeric), np.where(wider, half, bound)
    kink &= ~blunt  # noise hides whether it is at the point
    known = np.isfinite(bound) & np.isfinite(numeric)
    lost = ~known & (one_sided | ~(has_right & has_left) | ~(after & before)[:, -3:].any(axis=1))
    reason = np.select(
        [kink, lost, ~known & jump, ~known],
        [Reason.KINK, Reason.NOT_FINITE, Reason.JUMP, Reason.STEP_RANGE],
        Reason.NOISE,
    ).astype(np.int8)
    return Rulings(
        numeric=np.where(known, numeric, np.nan),
        error_bound=np.where(known, bound, np.inf),
        step=h[rows, level],
        kink=kink,
        lower=np.where(kink, lower, np.nan),
        upper=np.where(kink, upper, np.nan),
        one_sided=one_sided,
        reason=reason,
    )
