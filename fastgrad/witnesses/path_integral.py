"""The path integral: the integral of a right gradient along a segment is the rise of the cost.

    f(x + hv) - f(x - hv) = integral of g . dx along the segment, by Gauss-Legendre with 8 and with 12 nodes

The segment is long, so the noise of f matters little. Only the rounding of the sum over all coordinates
limits the test: 1e-10 of one typical coordinate in float64. The whole gradient is tested, not only the
checked coordinates, and also at other parameters than x. If the cost has kinks, the two rules do not agree
with each other, and nothing is said (docs/numerics.md, Path integral).

`strategy.ask_witnesses` calls `path_witness` and gets a sentence for the report.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fastgrad.engines.numbers import DOMAIN_ERRORS
from fastgrad.witnesses.functions import Functions
from fastgrad.witnesses.line import Line, random_lines

FIRST_LENGTH = 2.0**-8
"""Half the length of a segment in units of the blocks' typical sizes (docs/numerics.md, Path integral)."""

SHORTENINGS = 3
"""How often a segment is cut to a sixteenth if the two rules do not agree."""

NODES = (8, 12)
"""The nodes of the two quadrature rules. The difference of the rules bounds the error of the second."""

SEGMENTS = 3
"""Random segments that are integrated: an error that one of them misses shows along another."""

CALLS = SEGMENTS * sum(NODES)
"""Calls of the gradient function if no segment has to be cut."""

NOISE_OF_A_RISE = 1.42
"""The standard deviation of the difference of two values of the cost, in units of that of one: sqrt(2)."""

ROUNDINGS = 8.0
"""The rounding error of an integral, in units of eps sqrt(n) times its largest term."""

SMALLEST_ERROR = 1e-6
"""The smallest difference of rise and integral, as a share of the rise, that counts as an error of the
gradient."""

LARGEST_INTEGRATED = 2**20
"""The most parameters for which segments are integrated: each node takes three copies of them."""


@dataclass(frozen=True)
class Segment:
    """The rise of the cost along one segment, and the integral of the claimed gradient."""

    rise: float
    integral: float
    bound: float
    """On the error of rise - integral: noise, quadrature and rounding."""
    allowed: float
    """The largest difference that does not count as an error of the gradient."""
    length: float
    """Half its length in units of the blocks' typical sizes."""

    @property
    def disagrees(self) -> bool:
        """Whether rise and integral differ by more than is allowed, for any errors within the bound."""
        return abs(self.rise - self.integral) - self.bound > self.allowed

    @property
    def agrees(self) -> bool:
        """Whether rise and integral differ by no more than is allowed, for any errors within the bound."""
        return abs(self.rise - self.integral) + self.bound <= self.allowed


def path_witness(functions: Functions, *, sigma: float, z: float, seed: int) -> str:
    """What the path integrals say of the claimed gradient, as a sentence; empty if they can say nothing.

    Parameters
    ----------
    functions, sigma, z, seed : as for integrate
    """
    parameters = functions.parameters
    doubles = all(leaf.dtype == np.float64 for leaf in parameters.leaves)
    if not callable(functions.problem.gradient) or not doubles or parameters.size > LARGEST_INTEGRATED:
        return ""
    found = integrate(functions, sigma=sigma, z=z, seed=seed)
    wrong = [segment for segment in found if segment.disagrees]
    if wrong:
        s = max(wrong, key=lambda s: abs(s.rise - s.integral) / s.allowed)
        return (
            f"along a random segment through the parameters ({s.length:.2g} of their size to either side) "
            f"the cost rises by {s.rise:.9g}, the claimed gradient adds up to {s.integral:.9g}: it is wrong "
            "at coordinates that were not checked, or at other parameters than these"
        )
    if not found or not all(segment.agrees for segment in found):
        return ""
    apart = max(abs(s.rise - s.integral) / abs(s.rise) for s in found if s.rise)
    return (
        f"along {len(found)} random segments through the parameters the claimed gradient, all "
        f"{parameters.size:,} entries of it, adds up to what the cost rises by, to {apart:.1e} of it"
    )


def integrate(functions: Functions, *, sigma: float, z: float, seed: int) -> tuple[Segment, ...]:
    """The path integrals along random segments, without those along which the two rules do not agree.

    Parameters
    ----------
    functions : Functions, with a gradient function and float64 parameters
    sigma : the noise of the cost, as a standard deviation
    z : the quantile of bounds
    seed : of the directions
    """
    found = (_along(line, sigma, z) for line in random_lines(functions, seed, SEGMENTS))
    return tuple(segment for segment in found if segment is not None)


def _along(line: Line, sigma: float, z: float) -> Segment | None:
    """The first segment, cut as often as allowed, along which the rules agree; None if there is none."""
    for k in range(SHORTENINGS + 1):
        h = FIRST_LENGTH * 2.0 ** (-4 * k)
        try:
            with np.errstate(all="ignore"):
                segment, quadrature = _segment(line, h, sigma, z)
        except DOMAIN_ERRORS:
            continue
        if not np.isfinite([segment.rise, segment.integral, segment.bound]).all():
            continue
        if quadrature <= segment.allowed / 4:
            return segment
    return None


def _segment(line: Line, h: float, sigma: float, z: float) -> tuple[Segment, float]:
    """The segment from -h to h, and the difference of the two rules."""
    rise = float(line.cost(h)) - float(line.cost(-h))
    integrals, largest = [], 0.0
    for count in NODES:
        nodes, weights = np.polynomial.legendre.leggauss(count)
        rises = np.array([line.rise(h * float(t), -h, h) for t in nodes])
        integrals.append(float(weights @ rises) / 2)
        largest = float(np.abs(rises).max())
    quadrature = abs(integrals[0] - integrals[1])
    scale = max(largest, abs(rise))
    rounding = ROUNDINGS * float(np.finfo(np.float64).eps) * np.sqrt(line.parameters.size) * scale
    bound = z * NOISE_OF_A_RISE * sigma + quadrature + rounding
    return Segment(rise, integrals[1], bound, SMALLEST_ERROR * scale, h), quadrature
