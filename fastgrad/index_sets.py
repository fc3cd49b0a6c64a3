"""Sets as increasing arrays: what np.unique and its kin do, for indices that mostly come in order.

NumPy 2.3 and later find the distinct values of an array by hashing: 65 ms for the 235,146 coordinates of
784-256-128-10, 1.4 s for two million, against 3 and 30 ms by sorting and 0.2 and 1.5 ms where they are in
order. It was two thirds of a whole check of that network by nodes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from fastgrad.arrays import Bools, IndexArray


def distinct(a: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The different values of a vector, increasing; the vector itself where it is that already.

    Examples
    --------
    >>> distinct(np.array([3, 1, 3])).tolist()
    [1, 3]
    """
    later, earlier = a[1:], a[:-1]
    if bool((later > earlier).all()):
        return a
    if not bool((later >= earlier).all()):
        a = np.sort(a)
    first = np.empty(len(a), dtype=bool)
    first[:1] = True
    np.not_equal(a[1:], a[:-1], out=first[1:])
    return a[first]


def as_run(a: npt.NDArray[Any]) -> slice | npt.NDArray[Any]:
    """Indices as a slice where each is one more than that before, as they are elsewhere.

    A slice is seen, where an array of indices copies: where every coordinate is checked all are such.

    Examples
    --------
    >>> as_run(np.array([4, 5, 6])), as_run(np.array([4, 6])).tolist()
    (slice(4, 7, None), [4, 6])
    """
    if not len(a) or a[-1] - a[0] != len(a) - 1 or not bool((a[1:] > a[:-1]).all()):
        return a
    return slice(int(a[0]), int(a[-1]) + 1)


def spread_over(size: int, count: int) -> npt.NDArray[np.intp]:
    """So many indices from all over a vector, increasing; all of them where there are no more.

    Examples
    --------
    >>> spread_over(9, 3).tolist(), spread_over(2, 3).tolist()
    ([0, 4, 8], [0, 1])
    """
    return distinct(np.linspace(0, size - 1, min(size, count)).astype(np.intp))


def union(a: npt.NDArray[Any], b: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The values of either of two vectors, increasing; the first itself where it is that already.

    Examples
    --------
    >>> union(np.array([1, 4]), np.array([4, 2])).tolist()
    [1, 2, 4]
    """
    return distinct(np.concatenate([a, b]) if len(b) else a)


def holds(a: npt.NDArray[Any], values: npt.NDArray[Any]) -> Bools:
    """Which values are in an increasing vector.

    Examples
    --------
    >>> holds(np.array([1, 4, 6]), np.array([4, 5, 9])).tolist()
    [True, False, False]
    """
    if not len(a):
        return np.zeros(len(values), dtype=bool)
    at = np.searchsorted(a, values)
    at[at == len(a)] = 0
    return np.asarray(a[at] == values)


def positions_of(a: npt.NDArray[Any], values: npt.NDArray[Any]) -> slice | npt.NDArray[np.intp]:
    """Where increasing values stand in an increasing vector that holds them; a slice where in one piece.

    Examples
    --------
    >>> a = np.array([1, 4, 6])
    >>> positions_of(a, np.array([4, 6])), positions_of(a, np.array([1, 6])).tolist()
    (slice(1, 3, None), [0, 2])
    """
    if len(values):
        start = int(np.searchsorted(a, values[0]))
        stop = start + len(values)
        if stop <= len(a) and a[stop - 1] == values[-1] and np.array_equal(a[start:stop], values):
            return slice(start, stop)
    return np.searchsorted(a, values)


def without(a: npt.NDArray[Any], b: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The values of one vector, increasing, that are not in another.

    Examples
    --------
    >>> without(np.array([5, 1, 4]), np.array([4, 2])).tolist()
    [1, 5]
    """
    a = distinct(a)
    return a[~holds(distinct(b), a)] if len(b) else a


def common(a: npt.NDArray[Any], b: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The values that are in both of two vectors, increasing.

    Examples
    --------
    >>> common(np.array([5, 1, 4]), np.array([4, 5])).tolist()
    [4, 5]
    """
    a = distinct(a)
    return a[holds(distinct(b), a)]


def between(sorted_indices: IndexArray, start: int, stop: int) -> IndexArray:
    """Those of some increasing indices that are in [start, stop)."""
    low, high = np.searchsorted(sorted_indices, (start, stop))
    return sorted_indices[low:high]
