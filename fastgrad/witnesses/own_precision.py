"""A gradient in its own precision beside the same gradient in double precision, which differences confirmed.

A gradient in single or half precision is looked at in two steps. In double precision differences decide. In
its own precision it may then differ from that by its rounding, and by no more:

    |g_own - g| <= sqrt(eps) |g| + ROUNDINGS eps rms(g) + NOISES s        rms over the block

s is the noise of g_own - g, its standard deviation at some points beside the parameters, pooled over the
block. It is measured only where the first two do not suffice: it takes two gradients at each point. Rounding
errors come and go from point to point; a mistake stays.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastgrad.arrays import Bools, FloatArray, Floats
from fastgrad.problem.parameters import Parameters

ROUNDINGS = 32.0
"""Roundings of a typical entry of the block that sums over many terms are allowed."""

NOISES = 8.0
"""Standard deviations that are allowed, as for any claim (docs/numerics.md, Claim)."""

POINTS = 6
"""Points from which the noise is known."""

MOVES = 4
"""Last digits by which a parameter is moved at most from point to point."""

Gradient = Callable[[Any], Any]
"""The gradient in the structure of the parameters, which it takes as float64 arrays."""


@dataclass(frozen=True, eq=False)
class OwnPrecision:
    """What is known of a gradient in its own precision; arrays (n,) over all parameters.

    Parameters
    ----------
    dtype : the name of the precision
    claimed : in that precision
    certified : in double precision
    allowed : how far rounding may have them apart
    """

    dtype: str
    claimed: Floats
    certified: Floats
    allowed: Floats

    @property
    def wrong(self) -> Bools:
        """(n,) where they are farther apart; what is not finite in one of them is."""
        with np.errstate(invalid="ignore"):
            return np.asarray(~(np.abs(self.claimed - self.certified) <= self.allowed))

    @property
    def apart(self) -> float:
        """||claimed - certified|| / ||certified||; 0 where both are zero."""
        difference = float(np.linalg.norm(self.claimed - self.certified))
        return difference / float(np.linalg.norm(self.certified)) if difference else 0.0


def in_own_precision(
    own: Gradient,
    precise: Gradient,
    parameters: Parameters,
    dtype: str,
    epsilon: float,
    rounded: Callable[[FloatArray], FloatArray],
    seed: int = 0,
) -> OwnPrecision:
    """Compare a gradient in its own precision with the same one in double precision.

    Parameters
    ----------
    own, precise : the gradient function in either precision
    parameters : as float64 arrays, at numbers that the precision has
    dtype : what the report calls the precision
    epsilon : machine epsilon of the precision
    rounded : float64 numbers to the nearest ones of the precision, as float64
    seed : of the points beside the parameters
    """

    def both(leaves: Sequence[FloatArray]) -> tuple[Floats, Floats]:
        at = parameters.build_arrays(leaves)
        return _flat(parameters, own(at)), _flat(parameters, precise(at))

    claimed, certified = both(parameters.leaves)
    allowed = np.sqrt(epsilon) * np.abs(certified)
    for block in parameters.blocks:
        some = slice(block.start, block.stop)
        if block.size:
            allowed[some] += ROUNDINGS * epsilon * np.sqrt(np.mean(certified[some] ** 2))
    found = OwnPrecision(dtype, claimed, certified, allowed)
    if not found.wrong.any():
        return found
    rng, apart = np.random.default_rng(seed), [claimed - certified]
    for _ in range(POINTS):
        by = [epsilon * rng.integers(-MOVES, MOVES, len(x), endpoint=True) for x in parameters.leaves]
        moved = [rounded(x * (1 + b)) for x, b in zip(parameters.leaves, by, strict=True)]
        there = both(moved)
        apart.append(there[0] - there[1])
    return OwnPrecision(dtype, claimed, certified, allowed + NOISES * _scatter(parameters, np.array(apart)))


def _flat(parameters: Parameters, gradient: Any) -> Floats:
    leaves = parameters.match(gradient, "gradient")
    return np.concatenate([np.asarray(leaf, dtype=np.float64) for leaf in leaves])


def _scatter(parameters: Parameters, apart: Floats) -> Floats:
    """(n,) the standard deviation of differences (points, n): each entry's, or its block's if larger."""
    with np.errstate(invalid="ignore"):
        found = apart.std(axis=0, ddof=1)
    for block in parameters.blocks:
        some = slice(block.start, block.stop)
        finite = found[some][np.isfinite(found[some])]
        pooled = float(np.sqrt(np.mean(finite**2))) if len(finite) else 0.0
        found[some] = np.fmax(found[some], pooled)
    return np.asarray(np.nan_to_num(found, nan=0.0, posinf=0.0))
