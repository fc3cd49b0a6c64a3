"""Random points near x0 at which a call of an optimiser can be checked: feasible, and with finite values.

A point is x0 + t d, with d random and reflected at the bounds. Linear equalities are kept by the projection
of d on their null space, everything else by halving t.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fastgrad.arrays import Floats, is_whole_number
from fastgrad.engines.numbers import DOMAIN_ERRORS
from fastgrad.errors import InputError
from fastgrad.forms.bounds import Box
from fastgrad.problem.block import typical_size

STREAM = 0x66656173
"""Keeps the random numbers apart from those of other choices ("feas")."""

SPREAD = 0.25
"""How far points lie from x0, as a share of each entry's size: far enough that what is right at x0 by chance
is not so there, near enough that the function is likely to be defined."""

MARGIN = 0.1
"""The share of that distance, or of the room between two bounds, by which points stay away from a bound."""

HALVINGS = 12
"""How often a point moves half the way to x0 until it is feasible: to 10^-4 of the distance."""

LARGEST_DENSE = 10**6
"""Entries of a matrix of linear constraints up to which equalities are kept."""


@dataclass(frozen=True, eq=False)
class Linear:
    """lower <= A x <= upper.

    Parameters
    ----------
    A : (m, n) array or scipy.sparse matrix
    lower, upper : (m,)
    """

    A: Any
    lower: Floats
    upper: Floats

    def holds(self, x: npt.NDArray[Any]) -> bool:
        """Whether x satisfies it, but for rounding."""
        y = np.asarray(self.A @ x).reshape(-1)
        slack = 1e-9 * (1 + np.abs(y))
        return bool(((y >= self.lower - slack) & (y <= self.upper + slack)).all())

    @property
    def equalities(self) -> Floats:
        """The rows that are equalities, dense; none of a large matrix."""
        rows = np.flatnonzero(self.lower == self.upper)
        if np.prod(self.A.shape) > LARGEST_DENSE:
            rows = rows[:0]
        found = self.A[rows] if len(rows) else np.zeros((0, self.A.shape[1]))
        return np.asarray(found.toarray() if hasattr(found, "toarray") else found, dtype=np.float64)


def has_value(is_so: Callable[[npt.NDArray[Any]], bool], x: npt.NDArray[Any]) -> bool:
    """Whether something is so at x; it is not where a function raises what it raises outside its domain."""
    with np.errstate(all="ignore"):
        try:
            return is_so(x.copy())
        except DOMAIN_ERRORS as error:
            if isinstance(error, InputError):
                raise
            return False


def random_points(
    x0: npt.NDArray[Any],
    box: Box,
    linear: Sequence[Linear],
    accepts: Callable[[npt.NDArray[Any]], bool],
    count: int,
    seed: int,
) -> list[npt.NDArray[Any]]:
    """Up to `count` points like x0 that satisfy what x0 satisfies; fewer where none is found.

    Parameters
    ----------
    x0 : (n,) inside of the box
    box : Box
    linear : constraints; those that x0 does not satisfy are left aside
    accepts : whether the functions have finite values at a point, and it may be used
    count : of points
    seed : of the random numbers
    """
    require_count(count)
    rng = np.random.default_rng([seed, STREAM])
    kept = [one for one in linear if one.holds(x0)]
    found = []
    for _ in range(count):
        d = _projected(_direction(x0, box, rng), kept)
        for halving in range(HALVINGS):
            x = (x0 + 0.5**halving * d).astype(x0.dtype)
            if box.holds(x) and all(one.holds(x) for one in kept) and has_value(accepts, x):
                if not np.array_equal(x, x0):
                    found.append(x)
                break
    return found


def require_count(points: Any) -> None:
    """Refuse a number of points that is none."""
    if not (is_whole_number(points) and points >= 0):
        raise InputError(f"points must be an integer >= 0; got {points!r}", code="FG719")


def _direction(x0: npt.NDArray[Any], box: Box, rng: np.random.Generator) -> Floats:
    """A random step from x0 that stays off the bounds."""
    at_zero = min(typical_size(x0), 1.0)  # beside parameters in large units a zero need not be in them
    size = SPREAD * np.where(x0 == 0, at_zero, np.abs(x0)).astype(np.float64)
    room = box.upper - box.lower
    size = np.minimum(size, 0.5 * room)
    x = x0 + size * rng.uniform(0.5, 1.0, x0.size) * rng.choice([-1.0, 1.0], x0.size)
    low, high = box.lower + MARGIN * size, box.upper - MARGIN * size
    x = np.where(x < low, x0 + np.abs(x - x0), x)  # the other way
    x = np.where(x > high, x0 - np.abs(x - x0), x)
    return np.asarray(np.clip(x, low, high) - x0)


def _projected(d: Floats, linear: Sequence[Linear]) -> Floats:
    """What is left of d along the linear equalities."""
    rows = [one.equalities for one in linear]
    A = np.concatenate([*rows, np.zeros((0, d.size))])
    return d - np.linalg.pinv(A) @ (A @ d) if len(A) else d
