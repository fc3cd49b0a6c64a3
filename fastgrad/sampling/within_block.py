"""Which coordinates of one block to check: some picked on purpose, the others drawn at random.

`selection` calls `plan_block` for each block, or `draw_by_importance` for all blocks at once.

Coordinates are picked where mistakes are likely: corners, extreme entries, zeros, one entry of each row and
column. They prove nothing about the others. Draws are uniform and without replacement, and give limits on
the others (`confidence_limits`). Leaves may be memory maps of 10^8 numbers. They are read in pieces, and no
array of a block's length is made.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fastgrad.arrays import FloatArray, IndexArray, pieces
from fastgrad.errors import InputError
from fastgrad.index_sets import union

LEAST_TO_PICK = 64
"""The smallest count of which a part is picked on purpose. Of a smaller count all are needed as draws: 64
clean draws leave at most 4.6% wrong with 95% confidence (docs/numerics.md, Samples)."""

OF_EACH_KIND = 8
"""How many of the largest entries are picked, how many zeros, and how many entries that are not finite
(docs/numerics.md, Samples)."""

NEIGHBOURS = 16
"""The length of a run of consecutive coordinates that is picked: there it shows if values are shifted by one
place (docs/numerics.md, Samples)."""


@dataclass(frozen=True)
class BlockPlan:
    """The coordinates of a block to check, as positions inside it. No position is in both arrays.

    Parameters
    ----------
    picked : increasing integer array
        Chosen on purpose.
    drawn : increasing integer array
        Chosen uniformly at random, without replacement, from all that are not picked.

    Examples
    --------
    >>> plan = BlockPlan(np.array([0, 9]), np.array([3, 4, 7]))
    >>> plan.all.tolist()
    [0, 3, 4, 7, 9]
    """

    picked: IndexArray
    drawn: IndexArray

    @property
    def all(self) -> IndexArray:
        """Both together, increasing."""
        return np.sort(np.concatenate((self.picked, self.drawn)))


def plan_block(
    shape: tuple[int, ...], gradient: FloatArray | None, count: int, rng: np.random.Generator
) -> BlockPlan:
    """Which coordinates of a block to check: exactly `count`, or all if the block has no more.

    All are `drawn` where the block is checked whole, and where the count is below LEAST_TO_PICK. Otherwise
    up to half of the count is picked, in this order until the half is used up: the corners, entries that are
    not finite, the largest, zeros, a run of neighbours (44 in all), and then a Latin design over the rows and
    columns of the block seen as a matrix of shape[0] rows. The design visits every row and every column if
    enough of the half is left for the longer side, else a random part of them.

    Parameters
    ----------
    shape : tuple of int
        The block's shape.
    gradient : (size,) array of floats, or None
        The claimed gradient of the block, flat, which may hold NaN or inf; None if there is none.
    count : int
        How many coordinates, zero or more.
    rng : numpy Generator
        For all random choices.

    Raises
    ------
    InputError
        For a count under zero, and a gradient that is not as long as the block.

    Examples
    --------
    >>> gradient = np.zeros(10_000)
    >>> gradient[[5, 70]] = np.nan, -2.0
    >>> plan = plan_block((100, 100), gradient, 400, np.random.default_rng(0))
    >>> len(plan.picked) + len(plan.drawn), np.isin([0, 99, 5, 70], plan.picked).tolist()
    (400, [True, True, True, True])
    >>> rows, columns = np.unravel_index(plan.picked, (100, 100))
    >>> len(set(rows)), len(set(columns))
    (100, 100)
    """
    size = int(np.prod(shape, dtype=np.int64))
    if count < 0:
        raise InputError(f"count must be zero or more; got {count!r}", code="FG418")
    if gradient is not None and gradient.shape != (size,):
        raise InputError(
            f"the gradient must be flat and of the block's size, ({size},); got {gradient.shape}",
            code="FG418",
        )
    if count >= size:
        return BlockPlan(_none(), np.arange(size, dtype=np.intp))
    if count < LEAST_TO_PICK:
        return BlockPlan(_none(), _without_replacement(size, count, rng))
    picked = _pick(shape, size, gradient, count // 2, rng)
    ranks = _without_replacement(size - len(picked), count - len(picked), rng)
    return BlockPlan(picked, among_others(ranks, picked))


def draw_by_importance(
    gradient_leaves: Sequence[FloatArray], count: int, rng: np.random.Generator
) -> IndexArray:
    """Flat indices drawn with replacement, larger entries of the claimed gradient more often.

    Entry i has the probability q_i = 1/(2n) + |g_i| / (2 sum |g|). NaN and inf count as 0. If all entries are
    zero, all are equally likely. Without the first term no entry that is zero by mistake would be drawn
    (docs/numerics.md, Samples).

    Parameters
    ----------
    gradient_leaves : sequence of flat arrays of floats
        The claimed gradient, one leaf for each block.
    count : int
        How many draws, zero or more.
    rng : numpy Generator
        For all random choices.

    Returns
    -------
    (count,) increasing integer array
        Flat indices over all leaves. An index that is drawn twice is there twice.

    Raises
    ------
    InputError
        For a count under zero, and for draws from leaves without an entry.

    Examples
    --------
    >>> leaves = [np.zeros(50), np.array([3.0, -1.0])]
    >>> indices = draw_by_importance(leaves, 1000, np.random.default_rng(0))
    >>> counts = np.bincount(indices)  # about 10 each, and for the last two 375 and 125 more
    >>> len(indices), bool(counts[50] > counts[51] > counts[:50].max() > 0)
    (1000, True)
    """
    if count < 0:
        raise InputError(f"count must be zero or more; got {count!r}", code="FG418")
    sizes, masses, largest = _masses(gradient_leaves)
    n, total = int(sizes.sum()), float(masses.sum())
    if count == 0:
        return _none()
    if n == 0:
        raise InputError(
            "there is no coordinate to draw from: all leaves of the gradient are empty", code="FG418"
        )
    unit = largest or 1.0  # all zeros: no entry has a share of the sum
    scale = 1 / (total or 1.0)
    probabilities = sizes / n + masses * scale
    counts = rng.multinomial(count, probabilities / probabilities.sum())
    drawn = []
    for (start, piece), draws in zip(_pieces_of(gradient_leaves), counts.tolist(), strict=True):
        if draws:
            steps = np.cumsum(1 / n + _magnitudes(piece) / unit * scale)
            found = np.searchsorted(steps, np.sort(rng.random(draws)) * steps[-1], side="right")
            drawn.append(start + np.minimum(found, len(piece) - 1))
    return np.concatenate(drawn).astype(np.intp)


def _pick(
    shape: tuple[int, ...], size: int, gradient: FloatArray | None, room: int, rng: np.random.Generator
) -> IndexArray:
    """Up to `room` positions that are picked on purpose; the block is larger than `room`."""
    rows = shape[0]
    columns = size // rows
    first = [0, size - 1, columns - 1, size - columns]
    if gradient is not None:
        not_finite, largest, zeros = _extremes(gradient, rng)
        first += not_finite + largest + zeros
    start = int(rng.integers(size - NEIGHBOURS, endpoint=True))
    first += range(start, start + NEIGHBOURS)
    landmarks = list(dict.fromkeys(first))[:room]  # in order of importance, each once
    design = _latin(rows, columns, room - len(landmarks), rng)
    return union(np.asarray(landmarks, dtype=np.intp), design)


def _extremes(gradient: FloatArray, rng: np.random.Generator) -> tuple[list[int], list[int], list[int]]:
    """Positions of OF_EACH_KIND entries each: the first not finite, the largest, and zeros at random."""
    not_finite: list[int] = []
    positions, values = _none(), np.empty(0)
    zeros_by_piece = []
    for start, piece in _pieces_of([gradient]):
        finite = np.isfinite(piece)
        if len(not_finite) < OF_EACH_KIND and not finite.all():
            not_finite += (start + np.flatnonzero(~finite)[: OF_EACH_KIND - len(not_finite)]).tolist()
        magnitudes = np.where(finite, np.abs(piece), 0)
        floor = values[-1] if len(values) == OF_EACH_KIND else 0.0
        if magnitudes.max() > floor:
            top = np.argpartition(magnitudes, -min(OF_EACH_KIND, len(piece)))[-OF_EACH_KIND:]
            top = top[magnitudes[top] > floor]
            positions, values = np.append(positions, start + top), np.append(values, magnitudes[top])
            order = np.lexsort((positions, -values))[:OF_EACH_KIND]
            positions, values = positions[order], values[order]
        zeros_by_piece.append(len(piece) - int(np.count_nonzero(piece)))
    return not_finite, positions.tolist(), _some_zeros(gradient, zeros_by_piece, rng)


def _some_zeros(gradient: FloatArray, zeros_by_piece: list[int], rng: np.random.Generator) -> list[int]:
    """Positions of OF_EACH_KIND random zeros. The counts say which pieces hold them and are read again."""
    ends = np.cumsum(zeros_by_piece)
    total = int(ends[-1])
    ranks = _without_replacement(total, min(OF_EACH_KIND, total), rng)
    found: list[int] = []
    for (start, piece), end, zeros in zip(_pieces_of([gradient]), ends, zeros_by_piece, strict=True):
        mine = ranks[(ranks >= end - zeros) & (ranks < end)] - (end - zeros)
        if len(mine):
            found += (start + np.flatnonzero(piece == 0)[mine]).tolist()
    return found


def _latin(rows: int, columns: int, room: int, rng: np.random.Generator) -> IndexArray:
    """Positions (i, pi(i)) in a matrix: `room` of them at most, each on another line of the longer side.

    pi goes through the shorter side in random order, again and again. So the numbers of visits to its lines
    differ by one at most. A vector is a matrix of one column.
    """
    longer, shorter = max(rows, columns), min(rows, columns)
    long = _without_replacement(longer, min(room, longer), rng)
    rounds = -(-len(long) // shorter)
    orders = np.tile(np.arange(shorter, dtype=np.intp), (rounds, 1))
    short = rng.permuted(orders, axis=1).reshape(-1)[: len(long)]
    return long * columns + short if rows >= columns else short * columns + long


def _without_replacement(size: int, count: int, rng: np.random.Generator) -> IndexArray:
    """`count` of the numbers 0 .. size - 1, increasing; all such sets are equally likely.

    Numbers are drawn one after the other, and those that were drawn before are drawn again. Where more than
    half of the numbers are wanted, the others are drawn. Generator.choice is not used, since it makes an
    array of all numbers where more than 2% of them are wanted.
    """
    if 2 * count > size:
        return among_others(np.arange(count, dtype=np.intp), _without_replacement(size, size - count, rng))
    found = _none()
    while len(found) < count:
        found = union(found, rng.integers(size, size=count - len(found), dtype=np.intp))
    return found


def among_others(ranks: IndexArray, taken: IndexArray) -> IndexArray:
    """The numbers with these ranks among those of 0, 1, 2, ... that are not `taken` (increasing)."""
    others_before = taken - np.arange(len(taken), dtype=np.intp)  # the numbers not taken before each taken
    return ranks + np.searchsorted(others_before, ranks, side="right").astype(np.intp)


def _masses(
    leaves: Sequence[FloatArray],
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64], float]:
    """The sizes of all pieces, their sums of |g| in units of the largest |g|, and the largest |g|.

    In these units no sum overflows.
    """
    sizes, sums, maxima = [], [], []
    for _, piece in _pieces_of(leaves):
        magnitudes = _magnitudes(piece)
        sizes.append(len(piece))
        maxima.append(float(magnitudes.max()))
        sums.append(float((magnitudes / (maxima[-1] or 1.0)).sum()))
    largest = max(maxima, default=0.0)
    masses = np.asarray(sums) * (np.asarray(maxima) / (largest or 1.0))
    return np.asarray(sizes, dtype=np.int64), masses, largest


def _magnitudes(piece: FloatArray) -> npt.NDArray[np.float64]:
    """|g| in float64, with 0 for what is not finite."""
    magnitudes = np.abs(piece, dtype=np.float64)
    magnitudes[~np.isfinite(magnitudes)] = 0
    return magnitudes


def _pieces_of(leaves: Sequence[FloatArray]) -> Iterator[tuple[int, FloatArray]]:
    """The pieces of all leaves, each with the flat index of its first entry."""
    start = 0
    for leaf in leaves:
        for piece in pieces(np.asarray(leaf)):  # slicing a plain array takes less time than a memory map
            yield start, piece
            start += len(piece)


def _none() -> IndexArray:
    return np.empty(0, dtype=np.intp)
