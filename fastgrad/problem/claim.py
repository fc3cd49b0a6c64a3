"""The claimed gradient: its values at every coordinate, or at some.

`preflight.gradient` calls the user's gradient function and makes a `ClaimedGradient`. Whoever compares asks
it for the `ClaimedValues` at the coordinates that were measured.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from fastgrad.arrays import Floats, IndexArray
from fastgrad.errors import InputError
from fastgrad.index_sets import positions_of, spread_over
from fastgrad.problem.parameters import Parameters

NO_JITTER = np.zeros(1)

WATCHED = 2**16
"""Coordinates of a larger gradient at which repeats are compared."""

SMALL_ENOUGH_TO_KEEP = 2**20
"""Numbers of a gradient up to which two answers are kept side by side, to see whether they are one buffer."""


@dataclass(frozen=True, eq=False)
class ClaimedValues:
    """What the gradient under test says at the checked coordinates."""

    values: Floats  # (m,)
    jitter: Floats  # (m,) how far repeats were apart; (1,) zero for a function that repeats itself
    dtypes: tuple[np.dtype[Any], ...]  # of each block, as the user returned it
    stale: bool = False  # the very same numbers at other parameters
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class ClaimedGradient:
    """The gradient under test at every coordinate, without a copy of it where none is needed."""

    parameters: Parameters
    leaves: list[npt.NDArray[Any]]  # flat, one for each block; not to be written to
    jitter: list[Floats] | None  # how far repeats were apart: of each entry, or one number for a large block
    stale: bool = False
    notes: tuple[str, ...] = ()
    seen: Floats | None = None  # of an answer that was not copied: what it was at the watched coordinates
    narrowed: list[tuple[IndexArray, ClaimedValues]] = field(default_factory=list)

    def narrow(self, indices: IndexArray) -> None:
        """Keep what is claimed at some coordinates only, where the answer was not copied.

        It is as large as the parameters, and nothing else is to be asked of it.
        """
        if self.seen is None:
            return
        self.narrowed.append((indices, self.at(indices)))
        self.leaves.clear()

    def require_unchanged(self) -> None:
        """Refuse a cost that writes into the array which the gradient function returned.

        Raises
        ------
        InputError
            What it claimed is then lost.
        """
        if self.seen is None or self.narrowed:
            return
        if not same_gradient(self.seen, self.parameters.take(self.leaves, watched(self.parameters))):
            raise InputError(
                "the cost writes into the array that the gradient function returned, so that what was "
                "claimed is lost: return a copy of it"
            )

    @property
    def dtypes(self) -> tuple[np.dtype[Any], ...]:
        """The dtype of each block, as the user returned it."""
        return tuple(leaf.dtype for leaf in self.leaves)

    def at(self, indices: IndexArray) -> ClaimedValues:
        """What it says at some coordinates, in float64; not to be written to."""
        if self.narrowed:
            known, claim = self.narrowed[0]
            where = positions_of(known, indices)
            jitter = claim.jitter if len(claim.jitter) == 1 < len(known) else claim.jitter[where]
            return replace(claim, values=claim.values[where], jitter=jitter)
        values = self.parameters.take(self.leaves, indices)
        jitter = NO_JITTER if self.jitter is None else self.parameters.take(self.jitter, indices)
        return ClaimedValues(values, jitter, self.dtypes, self.stale, self.notes)


def watched(parameters: Parameters) -> IndexArray:
    """The coordinates at which repeats are compared: all, or of very many some spread over all."""
    n = parameters.size
    if n <= SMALL_ENOUGH_TO_KEEP:
        return np.arange(n, dtype=np.intp)
    return spread_over(n, WATCHED)


def same_gradient(a: Floats, b: Floats, tolerance: float = 0.0) -> bool:
    """Whether two gradients are equal, NaN to NaN, or to a share of the largest entry."""
    if tolerance == 0.0:
        return bool(np.array_equal(a, b, equal_nan=True))
    with np.errstate(invalid="ignore"):
        apart = np.nan_to_num(np.abs(a - b), nan=np.inf)
        return bool(apart.max(initial=0.0) <= tolerance * max(np.abs(a).max(initial=0.0), 0.0))
