"""A change of a value: what of it is another at each of K perturbed points.

A value that is as it was has no change. A `Sparse` change lists the few entries that differ; a `Dense` one is
the whole value at each point. Rules map changes of what an operation takes to those of what it gives.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

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


@dataclass(frozen=True, eq=False)
class Dense:
    """The whole value at each point."""

    new: Array
    """(K, *shape)."""

    @property
    def points(self) -> int:
        """K."""
        return len(self.new)


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


def nothing_changed(change: Any) -> bool:
    """Whether a value is as it was."""
    return change is None
