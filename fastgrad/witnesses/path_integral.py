"""The path integral: what a gradient adds up to along a segment is what the cost rises by.

    f(x + hv) - f(x - hv) = integral of g . dx along the segment, by Gauss-Legendre with 8 and with 12 nodes

The noise of f is divided by a long segment, and rounding of the sum over all coordinates is all that limits
it: 1e-10 of one typical coordinate in float64. It tests the whole gradient, not the checked coordinates only,
and at other parameters than x; where the cost has kinks the two rules do not agree with each other, and
nothing is said. (docs/numerics.md, Path integral.)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fastgrad.engines.numbers import DOMAIN_ERRORS
from fastgrad.problem.parameters import Parameters
from fastgrad.problem.problem import Problem
from fastgrad.witnesses.line import Line, dyadic_direction

FIRST_LENGTH = 2.0**-8
"""Half of the segment in units of the blocks' typical sizes (docs/numerics.md, Step)."""

SHORTENINGS = 3
"""How often a segment is cut to a sixteenth where the two rules do not agree."""

NODES = (8, 12)

SEGMENTS = 3

CALLS = SEGMENTS * sum(NODES)
"""Gradient calls of all segments where none has to be cut."""

ROUNDINGS = 8.0
"""Roundings allowed of the products that are summed (docs/numerics.md, Step)."""

WRONG = 1e-6
"""A gap of less than this share of the rise is none: what counts as an error of a gradient."""

LARGEST = 2**20
"""Parameters up to which whole segments are integrated: each node takes three copies of them."""


@dataclass(frozen=True)
class Segment:
    """What one segment said: the cost's rise, the gradient's integral, and how far they may be apart."""

    rise: float
    integral: float
    bound: float
    allowed: float
    length: float

    @property
    def disagrees(self) -> bool:
        """Whether rise and integral differ by more than their bounds and by more than counts."""
        return abs(self.rise - self.integral) - self.bound > self.allowed

    @property
    def agrees(self) -> bool:
        """Whether they are within what counts, whatever the truth within the bounds."""
        return abs(self.rise - self.integral) + self.bound <= self.allowed


def path_witness(
    problem: Problem, parameters: Parameters, *, sigma: float, z: float, seed: int, vectorized: bool = False
) -> str:
    """What the path integrals say of a gradient, as a sentence; empty where they can say nothing.

    Parameters
    ----------
    problem, parameters, sigma, z, seed, vectorized : as for integrate
    """
    doubles = all(leaf.dtype == np.float64 for leaf in parameters.leaves)
    if not callable(problem.gradient) or not doubles or parameters.size > LARGEST:
        return ""
    found = integrate(problem, parameters, sigma=sigma, z=z, seed=seed, vectorized=vectorized)
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


def integrate(
    problem: Problem, parameters: Parameters, *, sigma: float, z: float, seed: int, vectorized: bool = False
) -> tuple[Segment, ...]:
    """The path integrals along a few random segments; those of which nothing can be said are left out.

    Parameters
    ----------
    problem : Problem, whose gradient is callable
    parameters : Parameters, float64
    sigma : the noise of the cost
    z : the quantile of the bounds
    seed : of the directions
    vectorized : whether the cost takes a batch
    """
    rng = np.random.default_rng(seed)
    lines = (
        Line(problem, parameters, dyadic_direction(parameters, rng), vectorized) for _ in range(SEGMENTS)
    )
    found = (_along(line, sigma, z) for line in lines)
    return tuple(segment for segment in found if segment is not None)


def _along(line: Line, sigma: float, z: float) -> Segment | None:
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
    rise = float(line.cost(h)) - float(line.cost(-h))
    integrals, products = [], 0.0
    for count in NODES:
        nodes, weights = np.polynomial.legendre.leggauss(count)
        rises = np.array([line.rise(h * float(t), -h, h) for t in nodes])
        integrals.append(float(weights @ rises) / 2)
        products = float(np.abs(rises).max())
    quadrature = abs(integrals[0] - integrals[1])
    scale = max(products, abs(rise))
    rounding = ROUNDINGS * float(np.finfo(np.float64).eps) * np.sqrt(line.parameters.size) * scale
    bound = z * 1.42 * sigma + quadrature + rounding
    return Segment(rise, integrals[1], bound, WRONG * scale, h), quadrature
