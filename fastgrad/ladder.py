"""The adjudicator: a ladder of steps for coordinates that the screen flagged or could not bound.

Notation: f the cost along one coordinate, h_k = h_0 2^-k the steps, sigma = noise of f,

    D_k = [f(h_k) - f(-h_k)] / 2h_k        S_k = f(h_k) - 2 f(0) + f(-h_k)        Delta_k = D_k - D_{k-1}
    N_k = D_k -+ Z 0.71 sigma / h_k                            right as soon as truncation is small
    J_k = (4 D_k - D_{k-1}) / 3 -+ (Z 0.95 sigma / h_k + |Delta_k| / 3)      right if f is smooth from h_k on

A level is believed if its J meets N of every finer level, which needs no smoothness beyond the finest step
(Lepski's rule of intersecting intervals; numerics, section 2.4), and if the Delta shrink as they do for a
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

from dataclasses import dataclass, fields, replace
from enum import IntEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from fastgrad.noise import Sample
from fastgrad.parameters import IndexArray
from fastgrad.quantum import quantum
from fastgrad.spaces import Floats
from fastgrad.steps import ULPS_OF_A_RAISED_STEP, representable

Bools = npt.NDArray[np.bool_]

TOP = 2.0**-2
"""The first step, in units of the block's typical size: wide enough for a float32 cost or a large offset."""

LEVELS = 26
"""Steps down to 2^-27 of the typical size, 1e-8: past the last at which a float64 difference is of use, and
so inside a kink 1e-7 away."""

UNRELATED = 0.7
"""What the steps of a confirmation are multiplied by: not a power of two, that no rounding is shared
(numerics, section 3)."""

SMOOTH = 0.5
"""Delta of a smooth f shrink by 1/4 (central) or 1/2 (one-sided) from level to level."""

CONVERGING = 0.9
"""Delta that shrink by less than this tell nothing of where they lead."""

HALVING = (1.4, 2.8)
"""|S_k / h_k^2| grows by 2 from level to level across a kink, 1 where f is smooth (numerics, section 2.4)."""

ENDED = 4.0
"""How many times its noise the last S_k that stands out may be: a kink at the point itself fades into noise,
one beside it ends at once, at the level that no longer reaches it."""

FALLING = 6
"""Levels over which |S_k| / h_k, the difference of the slopes on the two sides, must fall to a quarter."""

NEAREST = 6
"""Levels from which the slopes on the two sides of a kink are taken where they do not converge: the kink is
then beside the point, closer than the finest step."""

STANDING = 0.75
"""f(h) - f(0) halves from level to level; across a jump it stands still."""


class Reason(IntEnum):
    """Why a derivative is not known better."""

    NOISE = 0
    KINK = 1
    STEP_RANGE = 2
    NOT_FINITE = 3
    JUMP = 4
    BUDGET = 5


@dataclass(frozen=True, eq=False)
class NoiseModel:
    """The noise of values at M coordinates: a constant, and a part that grows with the offset."""

    constant: Floats  # (M,)
    proportional: Floats  # (M,)

    def at(self, offsets: Floats) -> Floats:
        """The standard deviation at offsets (M, K)."""
        return np.asarray(self.constant[:, None] + self.proportional[:, None] * np.abs(offsets))

    def of(self, positions: IndexArray) -> NoiseModel:
        """That of some of the coordinates."""
        return NoiseModel(self.constant[positions], self.proportional[positions])


@dataclass(frozen=True, eq=False)
class Rulings:
    """What the ladder found at M coordinates: arrays of length M."""

    numeric: Floats  # NaN where there is none
    error_bound: Floats  # inf where there is none
    step: Floats
    kink: Bools  # at the point itself, or closer than any step that is of use
    lower: Floats  # the slopes on the two sides of a kink, noise included; NaN elsewhere
    upper: Floats
    one_sided: Bools
    reason: npt.NDArray[np.int8]

    @classmethod
    def joined(cls, several: list[Rulings]) -> Rulings:
        """Rulings on different coordinates as one."""
        return cls(*(np.concatenate([getattr(r, f.name) for r in several]) for f in fields(cls)))

    def replaced(self, positions: IndexArray, others: Rulings) -> Rulings:
        """These rulings with others in the place of some."""
        columns = {f.name: getattr(self, f.name).copy() for f in fields(self)}
        for name, column in columns.items():
            column[positions] = getattr(others, name)
        return Rulings(**columns)

    def no_better_than(self, others: Rulings) -> Rulings:
        """The estimates with bounds that reach to all that other rulings allow; unknown where those are."""
        with np.errstate(invalid="ignore"):
            farthest = np.abs(self.numeric - others.numeric) + others.error_bound
            meet = farthest <= self.error_bound + 2 * others.error_bound
        known = meet & np.isfinite(others.error_bound)
        return replace(
            self,
            numeric=np.where(known, self.numeric, np.nan),
            error_bound=np.where(known, np.maximum(self.error_bound, farthest), np.inf),
        )

    def at(self, positions: IndexArray) -> Rulings:
        """The rulings at some positions."""
        return Rulings(*(getattr(self, f.name)[positions] for f in fields(self)))


def adjudicate(
    sample: Sample,
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
    sample : Sample
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
        width = z * (noise.at(h) + quantum(after, before)[:, None] / 2)
        central = _decide_twice((after + -before) / (right + left), 0.707 * width / h, 4.0)
        slopes, blur = (after / right, -before / left), 1.42 * width / h
        sides = [_decide_twice(slope, blur, 2.0) for slope in slopes]
        kink = _has_kink(after + before, h, 2.45 * width)
        between = _side_slopes(slopes, sides, blur)
        jump = _jumps(np.maximum(np.abs(after), np.abs(before)), width)
    return _rule(central, sides, kink, between, jump, np.isfinite(after), np.isfinite(before), h)


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
    sample: Sample,
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

    The bound is the narrower of the two, and never narrower than the two estimates are apart.

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
        bound = np.maximum(np.minimum(first.error_bound, second.error_bound), apart)
    kink = first.kink & second.kink
    return replace(
        second,
        numeric=np.where(meet, narrower, np.nan),
        error_bound=np.where(meet, bound, np.inf),
        kink=kink,
        lower=np.where(kink, np.minimum(first.lower, second.lower), np.nan),
        upper=np.where(kink, np.maximum(first.upper, second.upper), np.nan),
    )


@dataclass(frozen=True, eq=False)
class _Decision:
    """Of each coordinate's levels the one that is believed: estimate, bound (inf for none), its number."""

    numeric: Floats
    bound: Floats
    level: IndexArray


def _decide_twice(d: Floats, narrow: Floats, factor: float) -> _Decision:
    """The narrower of the decisions from differences d and from those extrapolated once, where they meet.

    One-sided differences gain one order by it, central ones two.
    """
    once = _decide(d, narrow, factor)
    better = (factor * d[:, 1:] - d[:, :-1]) / (factor - 1)
    wider = (factor + 1) / (factor - 1) * narrow[:, 1:]
    twice = _decide(better, wider, factor**2 if factor == 4.0 else 4.0)
    apart = np.abs(twice.numeric - once.numeric)
    take = (twice.bound < once.bound) & np.isfinite(once.bound) & (apart <= once.bound + twice.bound)
    return _Decision(
        np.where(take, twice.numeric, once.numeric),
        np.where(take, twice.bound, once.bound),
        np.where(take, twice.level + 1, once.level),
    )


def _decide(d: Floats, narrow: Floats, factor: float) -> _Decision:
    """The narrowest J that meets all finer N, for differences d (M, K) whose noise is within `narrow`.

    factor is 2^p for differences of order p: 4 for central ones, 2 for one-sided ones, 16 and 4 for those
    extrapolated once.
    """
    step, noise_of_step = np.diff(d, axis=1), narrow[:, 1:] + narrow[:, :-1]
    r = _shrinking(step, noise_of_step)
    # Delta_k and what is left of the series after it; for r <= 1/factor this is what extrapolation leaves.
    rest = np.where(r <= SMOOTH, np.abs(step) / (factor - 1), np.abs(step) / (1 - np.minimum(r, CONVERGING)))
    spread = (factor + 1) / (factor - 1) * narrow[:, 1:]
    bound = np.where(r < CONVERGING, rest + spread, np.inf)
    centre = (factor * d[:, 1:] - d[:, :-1]) / (factor - 1)
    meets = _meets_all_finer(centre, bound, d[:, 1:], narrow[:, 1:])
    bound = np.where(meets & np.isfinite(centre), bound, np.inf)
    level = np.argmin(bound, axis=1)
    rows = np.arange(len(d))
    return _Decision(centre[rows, level], bound[rows, level], level + 1)


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


def _has_kink(s: Floats, h: Floats, noise: Floats) -> Bools:
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
    stays = (last >= FALLING) & clear[rows, before] & (rough[rows, last] > rough[rows, before] / 4)
    return np.asarray(clear.any(axis=1) & fades & ((twice & near_last).any(axis=1) | stays))


def _side_slopes(
    slopes: tuple[Floats, Floats], sides: list[_Decision], blur: Floats
) -> tuple[Floats, Floats]:
    """The least and the greatest that the derivative on either side can be."""
    lower, upper = [], []
    for slope, side in zip(slopes, sides, strict=True):
        near, width = slope[:, -NEAREST:], blur[:, -NEAREST:]
        low, high = (near - width).min(axis=1), (near + width).max(axis=1)
        runaway = _runs_away(near)
        low, high = np.where(runaway < 0, -np.inf, low), np.where(runaway > 0, np.inf, high)
        known = 2 * side.bound < high - low  # a level may be believed for being wide
        known |= ~np.isfinite(high - low) & np.isfinite(side.bound)
        lower.append(np.where(known, side.numeric - side.bound, low))
        upper.append(np.where(known, side.numeric + side.bound, high))
    return np.minimum(*lower), np.maximum(*upper)


def _runs_away(near: Floats) -> Floats:
    """Where slopes go on as the step shrinks, as those of x log x at 0 do: 1 up, -1 down, 0 neither."""
    step = np.diff(near, axis=1)
    one_way = (step > 0).all(axis=1) | (step < 0).all(axis=1)
    slower = np.abs(step[:, -1]) < np.abs(step[:, 0]) / 2
    return np.where(one_way & ~slower, np.sign(step[:, -1]), 0.0)


def _jumps(change: Floats, noise: Floats) -> Bools:
    """Whether the larger change to either side stands still over the finest levels."""
    clear = (change > 4 * noise)[:, -3:].all(axis=1)
    return np.asarray(clear & (change[:, -3:] > STANDING * change[:, -4:-1]).all(axis=1))


def _rule(
    central: _Decision,
    sides: list[_Decision],
    kink: Bools,
    between: tuple[Floats, Floats],
    jump: Bools,
    after: Bools,
    before: Bools,
    h: Floats,
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
