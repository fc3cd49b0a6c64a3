"""The step that curvature and noise ask for, shared by the coordinates of a block.

Notation: f the cost along one coordinate, h the step, sigma = noise of f, D(h) = [f(h) - f(-h)] / 2h,

    N(h)  = f(2h) - f(-2h) - 2 f(h) + 2 f(-h) = 2 h^3 f''' + O(h^5)
    r2(h) = |N| / 6 sigma = h^3 |f'''| / 3 sigma
    d4(h) = f(2h) - 4 f(h) + 6 f(0) - 4 f(-h) + f(-2h) = h^4 f'''' + O(h^6)

r2 = 1 at the step where truncation h^2 f'''/6 and noise sigma / h have the least sum (Shi, Xie, Xuan and
Nocedal, SIAM J. Sci. Comput. 44, 2022, test r in [1.5, 6]; here with alpha = 2, whose points are those of
the stencil; docs/numerics.md, Step). Steps are powers of two, so f(2h) of one step is f(h) of the next.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from fastgrad.arrays import Evaluate, Floats, IndexArray
from fastgrad.differences.rounding import smallest_visible_change
from fastgrad.differences.steps import ULPS_OF_A_RAISED_STEP, representable
from fastgrad.problem.block import SMALLEST_TYPICAL_SIZE

TARGET = 3.0
"""The r2 that a step should have: the middle of [1.5, 6], by ratio."""

RANGE = (TARGET / math.sqrt(8), TARGET * math.sqrt(8))
"""The r2 that is taken: doubling h multiplies r2 by 8, so that one power of two falls in here."""

STIRRED = 4.0
"""A step stops growing where |d4| / 6 sigma of a probe passes this: of noise alone it has the standard
deviation sqrt(70) / 6 times that of the values, which is no more than sigma."""

ROUNDS = 6
"""Rounds of four evaluations a probe: 96 for four probes (docs/numerics.md, Step)."""

FARTHEST = 0.1
"""The largest step in units of the block's typical size (docs/numerics.md, Step)."""

SMALLEST = 2.0**-1000
"""No step is smaller than this, whatever is allowed: quotients by it stay finite for costs of scale 1."""

BALANCED = "balanced"
CAPPED = "cap"
DISTURBED = "kink or end of domain"
LEAST = "least step"
UNSETTLED = "rounds"
NOT_FINITE = "not finite"


@dataclass(frozen=True)
class StepChoice:
    """The step of a block, the truncation error to expect there, and why it is this one.

    `reason` is BALANCED (r2 is in range), CAPPED (no larger step is allowed), DISTURBED (the next larger
    one crosses a kink or leaves the domain), LEAST (no smaller one is allowed), UNSETTLED (out of rounds)
    or NOT_FINITE (no step gave values; truncation is then infinite).
    """

    h: float
    truncation: float  # 2 max |D(h) - D(2h)| / 3 over the probes
    evaluations: int
    reason: str
    smallest_visible_change: float = (
        0.0  # the smallest change that rounding inside the cost lets through, if it was seen
    )


def curvature_ratio(f: Floats, sigma: float) -> Floats:
    """r2 = |f(2h) - f(-2h) - 2 f(h) + 2 f(-h)| / 6 sigma of each row, NaN where a value is not finite.

    Parameters
    ----------
    f : (m, 4) at -2h, -h, h, 2h
    sigma : standard deviation of the noise

    Examples
    --------
    >>> curvature_ratio(np.array([[-8.0, -1.0, 1.0, 8.0]]), sigma=1.0).tolist()
    [2.0]
    """
    with np.errstate(invalid="ignore", over="ignore"):
        third = np.abs((f[:, 3] - f[:, 0]) - 2 * (f[:, 2] - f[:, 1]))
        return np.where(np.isfinite(f).all(axis=1), third / 6 / sigma, np.nan)


def fourth_ratio(f: Floats, f0: float, sigma: float) -> Floats:
    """|d4| / 6 sigma of each row (m, 4), NaN where a value is not finite.

    Beside a kink of slope jump J at c < h it is J |3c - 2h| / 6 sigma, where r2 is J c / 6 sigma: it sees
    the kinks that r2 is nearly blind to.
    """
    with np.errstate(invalid="ignore", over="ignore"):
        g = f - f0
        fourth = np.abs(g[:, 0] + g[:, 3] - 4 * (g[:, 1] + g[:, 2]))
        return np.where(np.isfinite(f).all(axis=1), fourth / 6 / sigma, np.nan)


def step_cap(typical: float) -> float:
    """The largest step of a block of that typical size, a power of two.

    Examples
    --------
    >>> step_cap(1.0)
    0.0625
    """
    return _power_of_two_below(FARTHEST * max(typical, SMALLEST_TYPICAL_SIZE))


def choose_step(
    sample: Evaluate,
    x: npt.NDArray[np.floating],
    indices: IndexArray,
    start: float,
    *,
    f0: float,
    noise_of: Callable[[float], float],
    cap: float,
    least: float = 0.0,
) -> StepChoice:
    """The power of two at which truncation and noise balance for the worst of a few probes.

    Parameters
    ----------
    sample : Evaluate
    x : (m,) the parameters at the probes, in the block's dtype
    indices : (m,) their flat indices
    start : where the search starts: eps^(1/3) times the block's typical size
    f0 : what `sample` would return at offset 0
    noise_of : sigma at a step h; constant for ordinary costs
    cap : no larger step is chosen; see step_cap
    least : no smaller step is chosen, nor one under 16 ulp of every probe
    """
    ulp = np.spacing(np.abs(x)).astype(np.float64)
    low = _exponent(max(least, ULPS_OF_A_RAISED_STEP * float(ulp.min()), SMALLEST), up=True)
    high = max(_exponent(cap), low)
    search = _Search(sample, x, indices, f0, noise_of, low, high, ulp)
    level: int | None = min(max(_exponent(start), low), high)
    while level is not None and search.look_at(level):
        level = search.next_level(level)
    return search.choice()


@dataclass
class _Search:
    """Values at +-2^j around the probes, and the bracket: `good` a level too quiet, `bad` one too large."""

    sample: Evaluate
    x: npt.NDArray[np.floating]
    indices: IndexArray
    f0: float
    noise_of: Callable[[float], float]
    low: int
    high: int
    ulp: Floats
    values: dict[int, Floats] = field(default_factory=dict)  # j -> (m, 2) at -2^j and 2^j
    good: int | None = None
    bad: int | None = None
    found: int | None = None
    bad_ratio: float = math.nan
    rounds: int = 0
    evaluations: int = 0
    ups: int = 0
    lost: int = 0
    calm: npt.NDArray[np.bool_] | None = None  # (m,) the probes without a kink in sight at `good`

    def look_at(self, level: int) -> bool:
        """Learn what the level is; False if no round is left for it."""
        missing = [j for j in (level, level + 1) if j not in self.values]
        if missing:
            if self.rounds == ROUNDS:
                return False
            self.rounds += 1
            self._evaluate(missing)
        self._classify(level)
        return True

    def next_level(self, level: int) -> int | None:
        """Where to look next; None when the step is settled."""
        if self.found is not None:
            return None
        if self.good is None:
            return self._below(level)
        if self.bad is None:
            return self._above(level)
        return (self.good + self.bad) // 2 if self.bad - self.good > 1 else None

    def choice(self) -> StepChoice:
        """The step that the search ended with, and what else was seen on the way."""
        steps = sorted(self.values, reverse=True)
        with np.errstate(invalid="ignore", over="ignore"):
            after, before = (
                np.stack([self.values[j][:, k] for j in steps], axis=1) - self.f0 for k in (1, 0)
            )
            return replace(
                self._chosen(),
                smallest_visible_change=float(smallest_visible_change(after, before).max(initial=0.0)),
            )

    def _chosen(self) -> StepChoice:
        if self.found is not None:
            return self._choose(self.found, BALANCED)
        if self.good is not None:
            settled = self.bad is not None and self.bad - self.good == 1
            reason = DISTURBED if settled else CAPPED if self.good == self.high else UNSETTLED
            return self._choose(self.good, reason)
        level = self.bad if self.bad is not None else self.low
        if not np.isfinite(self._stencil(level)[self._usable(level)]).all():
            return StepChoice(math.ldexp(1.0, level), math.inf, self.evaluations, NOT_FINITE)
        return self._choose(level, LEAST if level == self.low else UNSETTLED)

    def _choose(self, level: int, reason: str) -> StepChoice:
        # 2 |D(h) - D(2h)| / 3 = |N| / 6h
        h = math.ldexp(1.0, level)
        third = curvature_ratio(self._stencil(level)[self._usable(level)], 1.0)
        return StepChoice(h, float(third.max(initial=0)) / h, self.evaluations, reason)

    def _evaluate(self, levels: list[int]) -> None:
        distances = np.ldexp(1.0, np.repeat(levels, 2)) * np.tile([-1.0, 1.0], len(levels))
        offsets = representable(self.x, np.tile(distances, (len(self.x), 1)))
        values = np.asarray(self.sample(self.indices, offsets), dtype=np.float64)
        self.evaluations += offsets.size
        for k, level in enumerate(levels):
            self.values[level] = values[:, 2 * k : 2 * k + 2]

    def _stencil(self, level: int) -> Floats:
        inner, outer = self.values[level], self.values[level + 1]
        return np.column_stack([outer[:, 0], inner, outer[:, 1]])

    def _usable(self, level: int) -> npt.NDArray[np.bool_]:
        # Beside these h is no longer exact; such coordinates have larger steps of their own.
        return np.asarray(8 * self.ulp <= math.ldexp(1.0, level))

    def _classify(self, level: int) -> None:
        f, sigma = self._stencil(level)[self._usable(level)], self.noise_of(math.ldexp(1.0, level))
        ratio = float(np.max(curvature_ratio(f, sigma), initial=0))  # NaN if any is
        calm = self._calm(level)
        stirred = self.calm is not None and bool((self.calm & ~calm).any())
        if math.isnan(ratio) or ratio > RANGE[1] or stirred:
            if self.bad is None or level < self.bad:
                self.bad, self.bad_ratio = level, ratio
        elif ratio >= RANGE[0]:
            self.found = level
        elif self.good is None or level > self.good:
            self.good, self.calm = level, calm

    def _calm(self, level: int) -> npt.NDArray[np.bool_]:
        fourth = fourth_ratio(self._stencil(level), self.f0, self.noise_of(math.ldexp(1.0, level)))
        return np.asarray(~(fourth > STIRRED) | ~self._usable(level))

    def _below(self, level: int) -> int | None:
        if level == self.low:
            return None
        if math.isfinite(self.bad_ratio):
            down = max(2, round(math.log2(self.bad_ratio / TARGET) / 3))
        else:
            self.lost += 1
            down = 2**self.lost
        return max(level - down, self.low)

    def _above(self, level: int) -> int | None:
        if level == self.high:
            return None
        self.ups += 1
        return min(level + (2 if self.ups <= 2 else 4), self.high)


def _exponent(number: float, up: bool = False) -> int:
    mantissa, exponent = math.frexp(number)
    return exponent if up and mantissa != 0.5 else exponent - 1


def _power_of_two_below(number: float) -> float:
    return math.ldexp(1.0, _exponent(number))
