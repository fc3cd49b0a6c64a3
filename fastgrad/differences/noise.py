"""The noise floor of a cost: how much its values scatter between neighbouring points.

Notation: f the cost along one coordinate, s = spacing of nine points t_k = x + c + (k - 4) s around the
offset c, sigma = standard deviation of the noise of f, Delta^j f = j-th differences of neighbouring values,

    level_j = sqrt(gamma_j mean (Delta^j f)^2),    gamma_j = (j!)^2 / (2j)!

White noise has E level_j^2 = sigma^2 for every j, while a smooth f has Delta^j f = O(s^j): the first order
from which the levels stay alike shows the noise (ECNoise: Moré and Wild, SIAM J. Sci. Comput. 33, 2011;
docs/numerics.md, Noise). What differs here: many coordinates at once, points around the step that will be
taken, no test on the range of the values (a cost may pass through 0), and costs that move in jumps.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import IntEnum
from math import comb

import numpy as np
import numpy.typing as npt

from fastgrad.arrays import Evaluate, Floats, IndexArray
from fastgrad.differences.rounding import ROUNDING_SD, SINGLE_EPSILON, looks_single_precision, rounding_floor
from fastgrad.differences.steps import representable
from fastgrad.problem.block import typical_size

HALF = 4
POINTS = 2 * HALF + 1
"""Points of a difference table: m = 8 differences, as ECNoise's driver takes."""

ALIKE = 4.0
"""Three consecutive levels within this factor are alike (ECNoise)."""

ROUNDS = 3
"""Spacings tried for each coordinate: at most 3 * 9 evaluations."""

FIRST_SPACING = {np.dtype(np.float64): 2.0**-44, np.dtype(np.float32): 2.0**-18}
"""The first spacing in units of the block's typical size (docs/numerics.md, Noise: 2^-46 .. 2^-42, and
2^-20 .. 2^-15 for float32): wide enough to change the roundings, too narrow to show the cost's shape."""

ZOOM = 128.0
"""A spacing is widened or narrowed by ECNoise's factor of 100, made a power of two."""

ULPS_OF_A_UNIT = 2
"""Spacings are multiples of so many ulp, so that rounding the points to x's dtype leaves them equally
spaced: of one ulp, half-way cases would go up and down in turn."""

UNEVEN = (5 / 7, 3 / 5, 2 / 3, 7 / 11)
"""Spacings are a round number times one of these, coordinates taking turns, and odd. A round spacing repeats
its roundings: with powers of two 1e4 x was rounded alike at every point, and the noise of sin(1e4 x) was
not seen at all. In binary none of these fractions has a long run of equal digits."""

WIDE_SPACING = 2.0**-7
"""Where a cost stands still over the whole step, points this far apart (times the typical size) tell
a coordinate that does nothing from a cost that moves in jumps; they stay within the cap of a step."""

GRID_JUMPS = 2.5
"""Jumps within this factor are steps of one grid, of one or two units each and their own rounding."""

SAFETY = 2.0
"""The largest of three or more measured levels is doubled: one level was 0.26 to 1.81 times the true
standard deviation (docs/numerics.md, Noise)."""

MANY, SAFETY_OF_MANY = 8, 1.5
"""So many levels have a mean square that is known to a fifth."""

QUIET, SAFETY_OF_QUIET = 2.0**-10, 8.0
"""Differences under this share of the noise that was measured show that there is less of it here; what they
show is multiplied by the second number."""

STANDS_OUT = 16.0
"""Values that change by so many sigma are not all rounded to one."""

APART = 8.0
"""Of three or more levels the middle one counts where the largest is more than this many times as large:
kinks between the nine points look like noise, and only the largest level can come from them."""

SAFETY_OF_FEW = 4.0
"""What fewer than three measured levels are multiplied by (docs/numerics.md, Noise)."""

EXCESS = 100.0
"""Noise so many times what rounding explains has another cause (docs/numerics.md, Noise)."""

FEWEST_ROWS = 8
"""Fewer fourth differences than this say nothing of their spread (docs/numerics.md, Noise)."""

MAD_TO_SD = 1.4826
"""Standard deviation of a normal distribution over its median absolute deviation."""


class State(IntEnum):
    """What nine values said of their spacing."""

    OK = 0
    TOO_SMALL = 1
    """Half of the neighbours are equal."""
    TOO_LARGE = 2
    """The cost's own shape covers the noise."""
    NOT_FINITE = 3


@dataclass(frozen=True)
class BlockNoise:
    """The noise of a cost along the coordinates of one block.

    Examples
    --------
    >>> BlockNoise(sigma=4e-16, floor=3.2e-17, successes=4, evaluations=36).excess()
    False
    """

    sigma: float  # standard deviation of a value, safety included
    floor: float  # what rounding the largest value alone leaves
    successes: int  # coordinates whose noise was seen
    evaluations: int
    moved: int = 0  # coordinates that move the cost at all
    single_precision: bool = False  # float32 arithmetic inside a float64 cost

    def excess(self, terms: int = 1) -> bool:
        """Whether there is far more noise than rounding explains, for a sum of so many terms."""
        return excess(self.sigma, self.floor, terms)


def difference_table_noise(values: Floats) -> tuple[Floats, npt.NDArray[np.int8]]:
    """The noise in each row of nine values at equally spaced points, and what they said of the spacing.

    Parameters
    ----------
    values : (m, 9)

    Returns
    -------
    sigma : (m,) one standard deviation where the state is OK. Where it is TOO_LARGE, the smallest level:
        noise is hardly more. Where it is TOO_SMALL, that of the grid if the row climbs in jumps, else NaN.
    state : (m,) of State

    Examples
    --------
    >>> sigma, state = difference_table_noise(np.array([[0.0, 1, 0, 0, 1, 0, 1, 1, 0], [7.0] * 9]))
    >>> state.tolist() == [State.OK, State.TOO_SMALL], bool(0.3 < sigma[0] < 1)
    (True, True)
    """
    v, exponent, finite = _scaled(values)
    level, turns = _levels(v)
    alike, k = _first_alike(level, turns)
    still = 2 * (v[:, 1:] == v[:, :-1]).sum(axis=1) >= POINTS
    state = np.select([~finite, still, alike], [State.NOT_FINITE, State.TOO_SMALL, State.OK], State.TOO_LARGE)
    accepted = level[np.arange(len(level)), k]
    smallest = level.min(axis=1, initial=np.inf)
    cases = [state == State.OK, state == State.TOO_LARGE, state == State.TOO_SMALL]
    sigma = np.select(cases, [accepted, smallest, _grid_noise(v)], np.nan)
    return np.ldexp(sigma, exponent), state.astype(np.int8)


def measure_noise(
    sample: Evaluate,
    x: npt.NDArray[np.floating],
    indices: IndexArray,
    around: float | Floats,
    *,
    epsilon: float,
    largest: float,
    scale: float | Floats | None = None,
    repeated: bool = False,
) -> BlockNoise:
    """The noise of the cost along a handful of coordinates of one dtype, at the offset `around`.

    Parameters
    ----------
    sample : Evaluate
    x : (m,) the parameters at these coordinates, in the block's dtype
    indices : (m,) their flat indices
    around : the offset at which the noise is asked for: the step to be taken, a power of two; or (m,) of them
    epsilon : machine epsilon of what the cost returns
    largest : the largest |value| that differences are taken of: |J| at the parameters for values counted
        from 0, else 0, for the values around the step are seen here
    scale : the size of all these parameters, or of each (m,); the typical size of x by default
    repeated : whether coordinates come several times: the largest level is then no other coordinate's
    """
    typical = typical_size(x) if scale is None else scale
    table = _Table(x, np.broadcast_to(around, x.shape), np.broadcast_to(typical, x.shape))
    evaluations = 0
    for last in (False,) * (ROUNDS - 1) + (True,):
        rows = np.flatnonzero(table.pending)
        if not len(rows):
            break
        offsets = table.offsets(rows)
        evaluations += offsets.size
        values = np.asarray(sample(indices[rows], offsets), dtype=np.float64)
        table.learn(rows, offsets, values, last)
    floor = rounding_floor(max(largest, table.largest), epsilon)
    single = epsilon < SINGLE_EPSILON and looks_single_precision(table.seen)
    successes, moved = int(table.success.sum()), int(table.moved.sum())
    sigma = max(_pooled(table.sigma, table.success, repeated), floor)
    return BlockNoise(sigma, floor, successes, evaluations, moved, single)


class _Table:
    """The spacing at which each coordinate is looked at, and what was seen there."""

    def __init__(self, x: npt.NDArray[np.floating], around: Floats, typical: Floats) -> None:
        m = len(x)
        self.x, self.around = x, np.abs(around)
        self.wide = np.maximum(WIDE_SPACING * typical, self.around)
        self.spacing = FIRST_SPACING[x.dtype] * typical
        self.spacing = np.maximum(self.spacing, self._unit(np.arange(m)))
        self.centre = np.array(around, dtype=np.float64)
        self.pending = np.ones(m, dtype=bool)
        self.success = np.zeros(m, dtype=bool)
        self.stood_still = np.zeros(m, dtype=bool)  # all nine values were equal, at some spacing
        self.moved = np.zeros(m, dtype=bool)  # not all nine values were equal, at some spacing
        self.sigma = np.full(m, np.nan)
        self.largest = 0.0  # of the values within the step
        self.seen = np.empty(0)  # all values

    def offsets(self, rows: IndexArray) -> Floats:
        """The points to look at: an odd number of units apart, for powers of two repeat their roundings."""
        unit, uneven = self._unit(rows)[:, None], np.resize(UNEVEN, len(self.x))[rows, None]
        spacing = unit * (2 * np.floor(uneven * self.spacing[rows, None] / unit / 2) + 1)
        return representable(self.x[rows], self.centre[rows, None] + spacing * np.arange(-HALF, HALF + 1))

    def _unit(self, rows: IndexArray) -> Floats:
        reach = np.abs(self.x[rows].astype(np.float64)) + self.around[rows] + POINTS * self.spacing[rows]
        return np.asarray(ULPS_OF_A_UNIT * np.spacing(reach.astype(self.x.dtype)).astype(np.float64))

    def learn(self, rows: IndexArray, offsets: Floats, values: Floats, last: bool) -> None:
        """Take in the values at these points, and say where to look next."""
        sigma, state = difference_table_noise(values)
        self.seen = np.append(self.seen, values[np.isfinite(values)])
        near = values[self.spacing[rows] < self.around[rows]]
        self.largest = float(np.abs(near).max(where=np.isfinite(near), initial=self.largest))
        with np.errstate(invalid="ignore"):  # outside the domain
            equal = np.diff(values, axis=1) == 0
        # A unit that wakes up somewhere between the points is a kink, and a kink looks like noise: where
        # the cost stood still before and does still in part, only a grid counts.
        waking = self.stood_still[rows] & (equal.any(axis=1) | (state == State.TOO_LARGE))
        sigma = np.where(waking, _grid_noise(values), sigma)
        sigma = np.where(_jumps_at_zero(offsets, values), np.nan, sigma)
        state = np.where(waking, State.TOO_SMALL, state).astype(np.int8)
        self.sigma[rows] = sigma
        self.success[rows] = (state == State.OK) | (last & (state == State.TOO_SMALL) & ~np.isnan(sigma))
        self.stood_still[rows] |= equal.all(axis=1)
        self.moved[rows] |= ~equal.all(axis=1)
        self._move_on(rows, state, equal.all(axis=1))

    def _move_on(self, rows: IndexArray, state: npt.NDArray[np.int8], still: npt.NDArray[np.bool_]) -> None:
        s, around = self.spacing[rows], self.around[rows]
        beyond = np.where(s < around / 8, around / 8, self.wide[rows])
        wider = np.where(still, beyond, s * ZOOM)
        narrower = np.maximum(s / ZOOM, self._unit(rows))
        self.spacing[rows] = np.select(
            [state == State.TOO_SMALL, state == State.TOO_LARGE], [wider, narrower], s
        )
        # Where the cost has no value around the step: on the other side, then close by.
        other = np.where(self.centre[rows] > 0, -around, around / 64)
        lost = state == State.NOT_FINITE
        self.centre[rows] = np.where(lost, other, self.centre[rows])
        self.pending[rows] = (state != State.OK) & (lost | (self.spacing[rows] != s))


def excess(sigma: float, floor: float, terms: int = 1) -> bool:
    """Whether noise is more than 100 times what rounding leaves in a plain sum of so many terms.

    Examples
    --------
    >>> excess(1e-9, 3e-17), excess(1e-15, 3e-17), excess(1e-14, 3e-17, terms=10_000)
    (True, False, False)
    """
    return sigma > EXCESS * math.sqrt(max(terms, 1)) * floor


def describe_noise(noise: BlockNoise, value: float, terms: int = 1) -> str | None:
    """What the report says of a cost's noise: a sentence, or None if it is ordinary.

    Parameters
    ----------
    noise : BlockNoise
    value : the cost at the parameters
    terms : how many terms the cost sums, if that is known
    """
    if noise.single_precision:
        return (
            "the cost is computed in float32: every value near the parameters is a float32 number, and the "
            f"noise is {noise.sigma:.2g}; compute it in float64 throughout, and the bounds shrink with it"
        )
    if not noise.excess(terms):
        return None
    scatter = (
        f"values of the cost scatter by {noise.sigma:.2g} between neighbouring points, where rounding "
        f"leaves {noise.floor:.2g}: "
    )
    if looks_single_precision(np.array([value]), noise.sigma):
        return scatter + (
            "as much as float32 arithmetic leaves. Look for a float32 array or a cast inside the cost, or "
            "else for an inner iteration that stops at a tolerance, or large terms that cancel"
        )
    return scatter + (
        "look for an inner iteration that stops at a tolerance (tighten it), a rounded result, or large "
        "terms that cancel"
    )


def fourth_difference_noise(values: Floats, f0: float) -> float:
    """The noise seen in passing on the four-point stencils of a block, by their fourth differences.

    delta4 = f(2h) - 4 f(h) + 6 f(0) - 4 f(-h) + f(-2h) = noise + O(h^4) spreads over the coordinates by
    1.4826 MAD(delta4) = sqrt(34) sigma, for f(0) is common to all and drops out of the spread; by sqrt(70)
    sigma where each row has its own (docs/numerics.md, Noise).

    Parameters
    ----------
    values : (m, 4) at -2h, -h, h, 2h, or (m, 5) with a value at 0 of each row's own
    f0 : the cost at the parameters

    Returns
    -------
    sigma : NaN if fewer than 8 coordinates are finite and move the cost at all
    """
    own_centre = values.shape[1] == 5
    weights = np.array([1.0, -4, 6, -4, 1])
    v = values if own_centre else np.insert(values, 2, f0, axis=1)
    v = v[np.isfinite(v).all(axis=1) & (v != f0).any(axis=1)]
    if len(v) < FEWEST_ROWS:
        return math.nan
    delta = (v - v[:, 2:3]) @ weights
    norm = math.sqrt(float(np.square(weights).sum()) - (0 if own_centre else 36))
    return float(MAD_TO_SD * np.median(np.abs(delta - np.median(delta))) / norm)


def quieter(sigma: Floats, f: Floats, f0: float) -> Floats:
    """The noise of each row's own values, where these show far less than was measured elsewhere.

    The noise of a cost is measured along a few coordinates, and may be that of a part that others do not
    move: an iteration, or a step in float32. Noise of sd sigma leaves third and fourth differences of
    sqrt(10) sigma and sqrt(70) sigma, and both are under QUIET of that by chance once in a million. Values
    that change by less than STANDS_OUT sigma show nothing: they may be the same for being rounded.

    Parameters
    ----------
    sigma : (m,) as measured
    f : (m, 4) at -2h, -h, h, 2h
    f0 : the value at 0

    Examples
    --------
    >>> f = np.array([[-2.0, -1.0, 1.0, 2.0 + 1e-15], [-2.0, -1.1, 1.0, 2.0]])
    >>> found = quieter(np.full(2, 0.1), f, 0.0)
    >>> bool(found[0] < 1e-14), float(found[1])
    (True, 0.1)
    """
    with np.errstate(all="ignore"):
        g = f - f0
        third = np.abs(g[:, 3] - g[:, 0] - 2 * (g[:, 2] - g[:, 1])) / math.sqrt(10)
        fourth = np.abs(g[:, 3] + g[:, 0] - 4 * (g[:, 2] + g[:, 1])) / math.sqrt(70)
        seen = np.maximum(third, fourth)
        floor = 2 * ROUNDING_SD * np.spacing(np.max(np.abs(f), axis=1))
        clear = np.abs(g[:, 3] - g[:, 0]) > STANDS_OUT * sigma
        clear &= seen > 0  # values on a grid may lie on a line
        own = np.minimum(sigma, SAFETY_OF_QUIET * seen + floor)
        return np.where(clear & (seen <= QUIET * sigma), own, sigma)


def _pooled(sigma: Floats, success: npt.NDArray[np.bool_], repeated: bool) -> float:
    # Without any success what is left are smallest levels: the noise is hardly more than those.
    if not success.any():
        return float(np.max(sigma, where=~np.isnan(sigma), initial=0))
    seen = sigma[success]
    if len(seen) < 3:
        return SAFETY_OF_FEW * float(seen.max())
    middle, largest = float(np.median(seen)), float(seen.max())
    if repeated:  # a smaller one is by chance
        return SAFETY * largest
    if len(seen) >= MANY:
        alike = seen[seen <= APART * middle]
        return SAFETY_OF_MANY * float(np.sqrt(np.mean(np.square(alike / middle)))) * middle
    return SAFETY * (middle if largest > APART * middle else largest)


def _scaled(values: Floats) -> tuple[Floats, npt.NDArray[np.intc], npt.NDArray[np.bool_]]:
    # From the middle value, and by a power of two: no square of a difference over- or underflows.
    with np.errstate(invalid="ignore", over="ignore"):
        v = values - values[:, HALF, None]
    finite: npt.NDArray[np.bool_] = np.asarray(np.isfinite(v).all(axis=1))
    v = np.where(finite[:, None], v, 0.0)
    exponent = np.frexp(np.abs(v).max(axis=1, initial=0))[1]
    return np.ldexp(v, -exponent[:, None]), exponent, finite


def _levels(v: Floats) -> tuple[Floats, npt.NDArray[np.bool_]]:
    # level (m, 8) of the orders 1 .. 8, and whether the differences of that order change sign.
    level, turns = np.empty((len(v), POINTS - 1)), np.empty((len(v), POINTS - 1), dtype=bool)
    for j in range(1, POINTS):
        v = v[:, 1:] - v[:, :-1]
        level[:, j - 1] = np.sqrt(np.square(v).mean(axis=1) / comb(2 * j, j))
        turns[:, j - 1] = (v.min(axis=1) < 0) & (v.max(axis=1) > 0)
    return level, turns


def _first_alike(
    level: Floats, turns: npt.NDArray[np.bool_]
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.intp]]:
    three = np.lib.stride_tricks.sliding_window_view(level, 3, axis=1)
    accepted = (three.max(axis=2) <= ALIKE * three.min(axis=2)) & turns[:, : three.shape[1]]
    return accepted.any(axis=1), accepted.argmax(axis=1)


def _jumps_at_zero(offsets: Floats, values: Floats) -> npt.NDArray[np.bool_]:
    """Whether all that happens along nine values is one jump, at the parameters: that is no noise."""
    with np.errstate(invalid="ignore"):
        moves = np.diff(values, axis=1) != 0
    here = (offsets[:, :-1] < 0) & (offsets[:, 1:] >= 0) | (offsets[:, :-1] <= 0) & (offsets[:, 1:] > 0)
    return np.asarray((moves.sum(axis=1) == 1) & (moves & here).any(axis=1))


def _grid_noise(values: Floats) -> Floats:
    # Jumps of one size and sign with equal neighbours between or around them: values on a grid.
    with np.errstate(invalid="ignore", over="ignore"):
        first = values[:, 1:] - values[:, :-1]
    jump = np.abs(first)
    largest = jump.max(axis=1, initial=0)
    smallest = np.where(jump > 0, jump, np.inf).min(axis=1, initial=np.inf)
    one_way = (first >= 0).all(axis=1) | (first <= 0).all(axis=1)
    moves = jump > 0
    begin, end = moves.argmax(axis=1), moves.shape[1] - 1 - moves[:, ::-1].argmax(axis=1)
    between = moves.sum(axis=1) < end - begin + 1
    alone = (begin == end) & (begin > 0) & (end < moves.shape[1] - 1)
    is_grid = (largest > 0) & (largest <= GRID_JUMPS * smallest) & one_way & (between | alone)
    return np.where(is_grid, ROUNDING_SD * largest, np.nan)
