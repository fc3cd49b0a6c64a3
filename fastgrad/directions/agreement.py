"""Whether differences found one by one add up along random directions, down to far smaller steps.

    r(v) = [J(x + v) - J(x - v)] / 2 - d . v = v . (true gradient - d) + noise

v_i is a random sign times 4/8 to 12/8 of the coordinate's step, times one fraction for all: from a quarter
down to the least that noise allows, and no power of two, so that no period of the cost hides from it. By the
pairing lemma (probes.py) a direction misses an error of d in any one coordinate with probability 1/2 at most,
if that error is larger than |r| and its bound over |v_i|; K directions with 2^-K. What
differences cannot see at their own steps, a narrow feature or a wave of their length, shows here.

Where a direction does not agree, the set is halved along the same signs until few coordinates are left.
(docs/numerics.md, Agreement.)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from fastgrad.arrays import Evaluate, Floats, IndexArray, norm
from fastgrad.differences.bounds import HALF_DIFFERENCE_SD
from fastgrad.engines.joint import JointEngine, Move

DIRECTIONS = 8
"""Directions of a small check."""

MANY, DIRECTIONS_OF_MANY = 512, 20
"""Coordinates from which on more directions cost next to nothing, and how many there are then."""

WIDEST = 0.7 / 4
"""The largest fraction of the coordinates' own steps: no power of two, for periods may be."""

NARROWEST = 2.0**-24
"""The least one."""

SIZES = (0, 1, 0, 0, 2, 0, 0, 0)
"""The sizes of directions in turn, from the narrowest, 0, to the widest. Differences were wide already."""

STEPS_AND_SIGNS = np.array([sign * k / 8 for sign in (-1, 1) for k in range(4, 13)])
"""What a coordinate may move by, in units of the direction's step, each as likely as another. They are drawn
by their number: that takes a fifth of the time of drawing signs and sizes."""

STREAM = 0x61677265
"""Keeps the random numbers apart from those of other choices ("agre")."""

SEEN = 2.0**-5
"""The share of a typical slope that noise may cover at the narrowest."""

CLOSER = 2.0**-3
"""A direction that does not agree is measured again at this fraction: the cost may bend along it more than
along any coordinate."""

FEW = 8
"""So many coordinates are not halved further, but measured anew one by one."""


@dataclass(frozen=True, eq=False)
class Found:
    """What was found one by one at m coordinates; each (m,)."""

    indices: IndexArray
    slopes: Floats
    bounds: Floats
    steps: Floats
    least: Floats
    """The smallest displacements that floating point makes well."""


@dataclass(frozen=True, eq=False)
class Agreement:
    """What came of random directions."""

    narrow: int
    """How many of the narrowest could be measured, and agree."""
    missed: Floats
    """(m,) the largest error of each slope that these miss with probability 2^-narrow; inf without any."""
    doubtful: IndexArray
    """Positions of a few coordinates whose slopes do not add up; none where no direction disagrees."""
    off: Floats
    """By how much each of these would have to be off, to account for it alone."""

    @property
    def agrees(self) -> bool:
        """Whether no direction disagrees."""
        return not len(self.doubtful)


class Directions:
    """Random directions through found slopes.

    Parameters
    ----------
    engine : JointEngine
    evaluate : of that engine
    found : Found
    sigma : the noise of the cost
    z : the quantile of all bounds
    seed : of the directions
    allowed : whether there is budget for so many more evaluations
    """

    def __init__(
        self,
        engine: JointEngine,
        evaluate: Evaluate,
        found: Found,
        sigma: float,
        z: float,
        seed: int,
        allowed: Callable[[int], bool],
    ) -> None:
        self.engine, self.evaluate = engine, evaluate
        self.sigma, self.z, self.allowed = sigma, z, allowed
        self.rng = np.random.default_rng([seed, STREAM])
        self.begin(found)

    def begin(self, found: Found) -> None:
        """Begin with what was found, or again with what was found since: earlier directions do not count."""
        self.found = found
        self.left = DIRECTIONS_OF_MANY if len(found.indices) >= MANY else DIRECTIONS
        self.narrow, self.missed = 0, np.zeros(len(found.indices))

    def agreement(self) -> Agreement:
        """Measure directions until all are, or one does not agree; asked again it goes on with the next."""
        none = np.empty(0, dtype=np.intp)
        fractions = self._fractions()
        while self.left > 0:
            sizes = [SIZES[k % len(SIZES)] for k in range(self.left)]
            directions = [(self._signs(), float(fractions[size])) for size in sizes]
            for (signs, fraction), first in zip(directions, self._measured(directions), strict=False):
                self.left -= 1
                slope = first
                if slope is not None and not slope.agrees:
                    fraction *= CLOSER
                    slope = next(iter(self._measured([(signs, fraction)])), None)
                if slope is None:
                    continue
                if not slope.agrees:
                    doubtful = self._halved(signs, fraction)
                    off = np.abs(slope.r / slope.v[doubtful])
                    return Agreement(self.narrow, self._missed(), doubtful, off)
                if fraction <= fractions[0]:
                    self.narrow += 1
                    self.missed = np.maximum(self.missed, (abs(slope.r) + slope.bound) / np.abs(slope.v))
        return Agreement(self.narrow, self._missed(), none, np.empty(0))

    def _missed(self) -> Floats:
        return self.missed if self.narrow else np.full(len(self.missed), np.inf)

    def _fractions(self) -> Floats:
        """Fractions of the steps, from narrow to wide."""
        with np.errstate(all="ignore"):
            effects = np.abs(self.found.slopes) * self.found.steps
        effects = effects[(effects > 0) & np.isfinite(effects)]
        noise = 2 * self.z * HALF_DIFFERENCE_SD * self.sigma
        least = noise / SEEN / float(np.median(effects)) if len(effects) else WIDEST
        return np.asarray(np.geomspace(float(np.clip(least, NARROWEST, WIDEST)), WIDEST, 3))

    def _signs(self) -> Floats:
        m = len(self.found.indices)
        return STEPS_AND_SIGNS[self.rng.integers(0, len(STEPS_AND_SIGNS), m, dtype=np.uint8)]

    def _measured(
        self, directions: list[tuple[Floats, float]], among: slice = slice(None)
    ) -> list[_Slope | None]:
        """The slopes along directions of some signs and fraction, or along some of their coordinates.

        None where one has no value.
        """
        found = self.found
        if not self.allowed(2 * len(directions)):
            self.left = 0
            return []
        v = [signs * np.maximum(found.steps * fraction, found.least) for signs, fraction in directions]
        indices, slopes_found = found.indices[among], found.slopes[among]
        moves = (Move(indices, by[among], slopes_found) for by in v)
        f = self.evaluate(self.engine.take(*moves), np.tile([-1.0, 1.0], (len(v), 1)))
        slopes: list[_Slope | None] = []
        for by, (before, after) in zip(v, f, strict=True):
            with np.errstate(over="ignore"):
                spread = norm(found.bounds[among] * by[among])
            slope = _Slope(float(after - before) / 2, self.z * HALF_DIFFERENCE_SD * self.sigma + spread, by)
            slopes.append(slope if np.isfinite(slope.r) and np.isfinite(slope.bound) else None)
        return slopes

    def _halved(self, signs: Floats, fraction: float) -> IndexArray:
        """Positions of a few coordinates that do not add up along a direction."""
        start, stop = 0, len(signs)
        while stop - start > FEW:
            middle = (start + stop) // 2
            slope = next(iter(self._measured([(signs, fraction)], slice(start, middle))), None)
            if slope is None:
                break
            start, stop = (middle, stop) if slope.agrees else (start, middle)
        return np.arange(start, min(stop, start + FEW))


@dataclass(frozen=True, eq=False)
class _Slope:
    """r along v, and its bound."""

    r: float
    bound: float
    v: Floats

    @property
    def agrees(self) -> bool:
        return abs(self.r) <= self.bound
