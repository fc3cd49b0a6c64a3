"""The classic measure ||g - d|| / ||g + d|| of two gradients, as a number and as an interval."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from fastgrad.arrays import Floats

CLASSIC = 1e-8
"""What the classic relative error of a right gradient stays under, for a smooth float64 cost."""


def relative_error(a: Floats, b: Floats) -> float:
    """||a - b|| / ||a + b|| of two vectors: 0 when both are zero, inf when b = -a."""
    return ClassicMeasure.of(a, b).value


@dataclass(frozen=True)
class ClassicMeasure:
    """||g - t|| / ||g + t|| of a claim g and a truth t of which |t - d| <= e is known, by its norms.

    Examples
    --------
    >>> one = np.ones(4)
    >>> measure = ClassicMeasure.of(one, one, 1e-9 * one)
    >>> measure.value, measure.interval[0], measure.interval[1] < 1e-9
    (0.0, 0.0, True)
    """

    above: float  # ||g - d||; NaN where g or d is not finite
    below: float  # ||g + d||
    room: float  # ||e||

    @classmethod
    def of(cls, g: Floats, d: Floats, e: Floats | None = None) -> ClassicMeasure:
        """The measure of vectors of one length."""
        scale = float(np.maximum(_largest(g), _largest(d)))  # NaN if either is
        if not np.isfinite(scale):
            return cls(float("nan"), float("nan"), float("inf"))
        if scale == 0:
            return cls(0.0, 0.0, 0.0 if e is None else float(np.linalg.norm(e)))
        if 1 / SQUARED_SAFELY < scale < SQUARED_SAFELY:
            scale = 1.0
        else:  # a power of two, so that the measure does not depend on the scale in its last digit
            scale = math.ldexp(1.0, math.frexp(scale)[1] - 1)
            g, d, e = g / scale, d / scale, None if e is None else e / scale
        above, below = (float(np.linalg.norm(v)) * scale for v in (g - d, g + d))
        return cls(above, below, 0.0 if e is None else float(np.linalg.norm(e)) * scale)

    @classmethod
    def joined(cls, several: Sequence[ClassicMeasure]) -> ClassicMeasure:
        """The measure of several vectors put together."""
        return cls(*(math.hypot(*(getattr(m, f.name) for m in several)) for f in fields(cls)))

    @property
    def value(self) -> float:
        """||g - d|| / ||g + d||: 0 when both are zero, inf when d = -g, NaN where either is not finite."""
        return self.above / self.below if self.below else float("inf") if self.above else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """Between what values it lies, whatever t is within the bounds."""
        if math.isnan(self.above):
            return (0.0, float("inf"))
        far, near = self.below + self.room, self.below - self.room
        if far == 0:
            return (0.0, 0.0) if self.above == 0 else (math.inf, math.inf)
        low = max(0.0, self.above - self.room) / far
        return (low, (self.above + self.room) / near if near > 0 else math.inf)


SQUARED_SAFELY = 1e100
"""Vectors whose largest entry is between this and its inverse are squared as they are, others are scaled
first, so that no square overflows. (Entries that are lost in squaring are under 1e-50 of the largest.)"""

NOTHING_KNOWN = ClassicMeasure(math.nan, math.nan, math.inf)
"""The measure where no difference is known."""


def _largest(v: Floats) -> float:
    return float(np.maximum(v.max(initial=0.0), -v.min(initial=0.0)))


def classic_verdict(interval: tuple[float, float]) -> str:
    """What the classic criterion says, as far as the bounds can tell: certified, violated, or neither."""
    low, high = interval
    if high <= CLASSIC:
        return f"certified below {CLASSIC:g}"
    return f"above {CLASSIC:g}" if low > CLASSIC else f"{CLASSIC:g} cannot be resolved here"
