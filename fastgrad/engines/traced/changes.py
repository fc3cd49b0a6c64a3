"""A change of a value: what of it is another at each of K perturbed points.

A value that is as it was has no change. A `Sparse` change lists the few entries that differ; a `Dense` one is
the whole value at each point. Rules map changes of what an operation takes to those of what it gives.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fastgrad.arrays import IndexArray
from fastgrad.engines.traced.tape import Array


@dataclass(frozen=True, eq=False)
class Sparse:
    """The entries that differ, as many at each point."""

    where: IndexArray
    """(K, L) flat indices, no two the same in a row."""
    new: Array
    """(K, L) what these entries are."""

    @property
    def points(self) -> int:
        """K."""
        return len(self.where)

    def at(self, points: IndexArray) -> Sparse:
        """The change at some of the points."""
        return Sparse(self.where[points], self.new[points])

    def undone(self, base: Array) -> Sparse:
        """The same entries as they are at the parameters."""
        return Sparse(self.where, base.reshape(-1)[self.where].astype(self.new.dtype))


@dataclass(frozen=True, eq=False)
class Dense:
    """The whole value at each point."""

    new: Array
    """(K, *shape)."""

    @property
    def points(self) -> int:
        """K."""
        return len(self.new)

    def at(self, points: IndexArray) -> Dense:
        """The change at some of the points."""
        return Dense(self.new[points])

    def undone(self, base: Array) -> Dense:
        """The whole value as it is at the parameters."""
        return Dense(np.broadcast_to(base, self.new.shape).astype(self.new.dtype))


Change = Sparse | Dense


class Ragged(Exception):
    """The points of a batch change different numbers of entries, and are to be evaluated apart.

    Parameters
    ----------
    groups : (K,) points with the same number belong together
    """

    def __init__(self, groups: IndexArray) -> None:
        super().__init__(groups)
        self.groups = groups


def as_dense(change: Change | None, base: Array, points: int) -> Array:
    """The value at all points, (K, *shape)."""
    if isinstance(change, Dense):
        return change.new
    if change is None:
        return np.broadcast_to(base, (points, *base.shape))
    dtype = np.result_type(base, change.new)
    out = np.empty((points, base.size), dtype=dtype)
    out[:] = base.reshape(-1)
    np.put_along_axis(out, change.where, change.new, axis=1)
    return out.reshape(points, *base.shape)


def aligned(new: Array, ndim: int) -> Array:
    """A value at all points, with axes put in so that the points stay in front under broadcasting."""
    missing = ndim - (new.ndim - 1)
    return new if missing <= 0 else new.reshape(len(new), *(1,) * missing, *new.shape[1:])


def is_worth_keeping_sparse(entries: int, size: int) -> bool:
    """Whether a list of entries is less work than the whole value."""
    return entries * 4 <= size or size <= 1
