"""Sets of indices as increasing vectors without repeats: what np.unique and its kin do, but faster.

The indices here are mostly in order already, which one comparison shows. NumPy 2.3 and later find the
distinct values of a vector by hashing. That takes 65 ms for the 235,146 coordinates of the network
784-256-128-10, and 1.4 s for two million; sorting takes 3 and 30 ms, the comparison 0.2 and 1.5 ms. Hashing
was two thirds of a whole check of that network with perturb="nodes".
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import numpy.typing as npt

from fastgrad.arrays import Bools, IndexArray

T = TypeVar("T", np.intp, np.int64, np.float64)


def distinct(a: npt.NDArray[T]) -> npt.NDArray[T]:
    """The different values of a vector, increasing; the vector itself where it is increasing already.

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


def as_run(a: IndexArray) -> slice | IndexArray:
    """Consecutive indices as a slice; any others as they are.

    Indexing with a slice gives a view, with an array a copy. Where every coordinate is checked, the indices
    of a block are consecutive.

    Examples
    --------
    >>> as_run(np.array([4, 5, 6])), as_run(np.array([4, 6])).tolist()
    (slice(4, 7, None), [4, 6])
    """
    if not len(a) or a[-1] - a[0] != len(a) - 1 or not bool((a[1:] > a[:-1]).all()):
        return a
    return slice(int(a[0]), int(a[-1]) + 1)


def spread_over(size: int, count: int) -> IndexArray:
    """`count` indices at equal distances over a vector of `size`, increasing; all if there are no more.

    Examples
    --------
    >>> spread_over(9, 3).tolist(), spread_over(2, 3).tolist()
    ([0, 4, 8], [0, 1])
    """
    return distinct(np.linspace(0, size - 1, min(size, count)).astype(np.intp))


def all_or_spread(size: int, largest: int, count: int) -> IndexArray:
    """All indices of a vector, or `count` at equal distances where its size is over `largest`.

    Examples
    --------
    >>> all_or_spread(3, 4, 2).tolist(), all_or_spread(5, 4, 2).tolist()
    ([0, 1, 2], [0, 4])
    """
    return np.arange(size, dtype=np.intp) if size <= largest else spread_over(size, count)


def union(a: npt.NDArray[T], b: npt.NDArray[T]) -> npt.NDArray[T]:
    """The values of either of two vectors, increasing.

    Examples
    --------
    >>> union(np.array([1, 4]), np.array([4, 2])).tolist()
    [1, 2, 4]
    """
    return distinct(np.concatenate([a, b]) if len(b) else a)


def holds(a: npt.NDArray[T], values: npt.NDArray[T]) -> Bools:
    """For each of some values, whether an increasing vector holds it.

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


def positions_of(a: IndexArray, values: IndexArray) -> slice | IndexArray:
    """Where increasing values stand in an increasing vector that holds all of them.

    The positions are a slice where the values stand side by side.

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


def without(a: npt.NDArray[T], b: npt.NDArray[T]) -> npt.NDArray[T]:
    """The values of the first vector that are not in the second, increasing.

    Examples
    --------
    >>> without(np.array([5, 1, 4]), np.array([4, 2])).tolist()
    [1, 5]
    """
    a = distinct(a)
    return a[~holds(distinct(b), a)] if len(b) else a


def common(a: npt.NDArray[T], b: npt.NDArray[T]) -> npt.NDArray[T]:
    """The values that both of two vectors hold, increasing.

    Examples
    --------
    >>> common(np.array([5, 1, 4]), np.array([4, 5])).tolist()
    [4, 5]
    """
    a = distinct(a)
    return a[holds(distinct(b), a)]


def between(increasing: IndexArray, start: int, stop: int) -> IndexArray:
    """Those of some increasing indices that are in [start, stop)."""
    low, high = np.searchsorted(increasing, (start, stop))
    return increasing[low:high]
