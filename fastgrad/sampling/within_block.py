"""Which coordinates of a block to check: some picked on purpose, the others drawn at random.

What is picked goes where mistakes like to be (edges, extremes, zeros, a wrong row or column); it proves
nothing about the rest. What is drawn is uniform and without replacement, and bounds the rest
(`fastgrad.guarantees`). Leaves may be memory maps of 10^8 numbers: they are read in pieces, and no array of a
block's length is made.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fastgrad.arrays import FloatArray, IndexArray, pieces
from fastgrad.errors import InputError
from fastgrad.index_sets import union

WHOLE = 256
"""Up to this size a block is best checked whole, by a count of its size: the biases, which are small and
easily missed (docs/numerics.md, Samples). Whoever shares out the counts uses it; a count decides here."""

MANY = 64
"""From this count on part of it is picked on purpose: fewer draws are all needed for the limit on the
share of wrong ones, which is 4.6% after 64 clean ones (docs/numerics.md, Samples)."""

EXTREMES = 8
"""How many of the largest entries, of the zeros, and of those that are not finite (docs/numerics.md,
Samples)."""

RUN = 16
"""How many neighbours in a row, where values moved by one place would show (docs/numerics.md, Samples)."""


@dataclass(frozen=True)
class BlockPlan:
    """The coordinates of a block to check, as positions inside it; increasing, and none in both.

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
    """Which coordinates of a block to check: exactly `count`, or all where it has no more.

    A block that is checked whole is all `drawn`, and below MANY so is any other. Otherwise up to half of the
    count is picked, until that is used up: the corners, entries that are not finite, the largest, zeros, a
    run of neighbours, and then a Latin design over the rows and columns of the block seen as a matrix of
    shape[0] rows. The design visits every row and every column where half the count has room for the longer
    side after the 44 others, and a random part of them otherwise.

    Parameters
    ----------
    shape : tuple of int
        The block's shape.
    gradient : (size,) array of floats, or None
        The claimed gradient of the block, flat, which may hold NaN or inf; None if it is not known.
    count : int
        How many coordinates, zero or more.
    rng : numpy Generator
        Where the random choices come from.

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
        raise InputError(f"count must be zero or more; got {count!r}")
    if gradient is not None and gradient.shape != (size,):
        raise InputError(
            f"the gradient must be flat and of the block's size, ({size},); got {gradient.shape}"
        )
    if count >= size:
        return BlockPlan(_none(), np.arange(size, dtype=np.intp))
    if count < MANY:
        return BlockPlan(_none(), _distinct(size, count, rng))
    picked = _pick(shape, size, gradient, count // 2, rng)
    ranks = _distinct(size - len(picked), count - len(picked), rng)
    return BlockPlan(picked, among_others(ranks, picked))


def draw_by_importance(
    gradient_leaves: Sequence[FloatArray], count: int, rng: np.random.Generator
) -> IndexArray:
    """Flat indices drawn with replacement, half of the probability by the size of the gradient's entries.

    Entry i has probability q_i = 1/(2n) + |g_i| / (2 sum |g|); NaN and inf count as 0, and where nothing is
    left but zeros all entries are equally likely. The uniform half is needed for entries that are zero by
    mistake (docs/numerics.md, Samples).

    Parameters
    ----------
    gradient_leaves : sequence of flat arrays of floats
        The claimed gradient, one leaf for each block.
    count : int
        How many draws, zero or more.
    rng : numpy Generator
        Where the random choices come from.

    Returns
    -------
    (count,) increasing integer array
        Indices over all leaves, one after the other; an index that is drawn twice is there twice.

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
        raise InputError(f"count must be zero or more; got {count!r}")
    sizes, masses, largest = _masses(gradient_leaves)
    n, total = int(sizes.sum()), float(masses.sum())
    if count == 0:
        return _none()
    if n == 0:
        raise InputError("there is no coordinate to draw from: all leaves of the gradient are empty")
    unit = largest or 1.0  # all zeros: no entry has a share of the sum
    scale = 1 / (total or 1.0)
    probabilities = sizes / n + masses * scale
    counts = rng.multinomial(count, probabilities / probabilities.sum())
    drawn = []
    for (start, piece), draws in zip(_placed(gradient_leaves), counts.tolist(), strict=True):
        if draws:
            steps = np.cumsum(1 / n + _magnitudes(piece) / unit * scale)
            found = np.searchsorted(steps, np.sort(rng.random(draws)) * steps[-1], side="right")
            drawn.append(start + np.minimum(found, len(piece) - 1))
    return np.concatenate(drawn).astype(np.intp)


def _pick(
    shape: tuple[int, ...], size: int, gradient: FloatArray | None, room: int, rng: np.random.Generator
) -> IndexArray:
    """Up to `room` positions on purpose, of a block larger than that."""
    rows = shape[0]
    columns = size // rows
    first = [0, size - 1, columns - 1, size - columns]
    if gradient is not None:
        not_finite, largest, zeros = _extremes(gradient, rng)
        first += not_finite + largest + zeros
    start = int(rng.integers(size - RUN, endpoint=True))
    first += range(start, start + RUN)
    places = list(dict.fromkeys(first))[:room]  # in order of importance, each once
    design = _latin(rows, columns, room - len(places), rng)
    return union(np.asarray(places, dtype=np.intp), design)


def _extremes(gradient: FloatArray, rng: np.random.Generator) -> tuple[list[int], list[int], list[int]]:
    """Positions of the first entries that are not finite, of the largest, and of some zeros, at random."""
    not_finite: list[int] = []
    positions, values = _none(), np.empty(0)
    zeros_by_piece = []
    for start, piece in _placed([gradient]):
        finite = np.isfinite(piece)
        if len(not_finite) < EXTREMES and not finite.all():
            not_finite += (start + np.flatnonzero(~finite)[: EXTREMES - len(not_finite)]).tolist()
        magnitudes = np.where(finite, np.abs(piece), 0)
        floor = values[-1] if len(values) == EXTREMES else 0.0
        if magnitudes.max() > floor:
            top = np.argpartition(magnitudes, -min(EXTREMES, len(piece)))[-EXTREMES:]
            top = top[magnitudes[top] > floor]
            positions, values = np.append(positions, start + top), np.append(values, magnitudes[top])
            order = np.lexsort((positions, -values))[:EXTREMES]
            positions, values = positions[order], values[order]
        zeros_by_piece.append(len(piece) - int(np.count_nonzero(piece)))
    return not_finite, positions.tolist(), _some_zeros(gradient, zeros_by_piece, rng)


def _some_zeros(gradient: FloatArray, zeros_by_piece: list[int], rng: np.random.Generator) -> list[int]:
    """Positions of a few zeros at random, from how many each piece has; only their pieces are read again."""
    ends = np.cumsum(zeros_by_piece)
    total = int(ends[-1])
    ranks = _distinct(total, min(EXTREMES, total), rng)
    found: list[int] = []
    for (start, piece), end, zeros in zip(_placed([gradient]), ends, zeros_by_piece, strict=True):
        mine = ranks[(ranks >= end - zeros) & (ranks < end)] - (end - zeros)
        if len(mine):
            found += (start + np.flatnonzero(piece == 0)[mine]).tolist()
    return found


def _latin(rows: int, columns: int, room: int, rng: np.random.Generator) -> IndexArray:
    """Positions (i, pi(i)) of a matrix, each on another line of the longer side, or as many as there is room.

    pi goes through the shorter side in random order again and again, so that its lines are visited equally
    often, up to one; a vector is a matrix of one column.
    """
    longer, shorter = max(rows, columns), min(rows, columns)
    long = _distinct(longer, min(room, longer), rng)
    rounds = -(-len(long) // shorter)
    orders = np.tile(np.arange(shorter, dtype=np.intp), (rounds, 1))
    short = rng.permuted(orders, axis=1).reshape(-1)[: len(long)]
    return long * columns + short if rows >= columns else short * columns + long


def _distinct(size: int, count: int, rng: np.random.Generator) -> IndexArray:
    """`count` of the numbers 0 .. size - 1, all such sets equally likely, increasing.

    Drawn one after the other, where those that came before do not count; of more than half the numbers
    those that are left out. Generator.choice makes an array of all numbers from 2% of them on.
    """
    if 2 * count > size:
        return among_others(np.arange(count, dtype=np.intp), _distinct(size, size - count, rng))
    found = _none()
    while len(found) < count:
        found = union(found, rng.integers(size, size=count - len(found), dtype=np.intp))
    return found


def among_others(ranks: IndexArray, taken: IndexArray) -> IndexArray:
    """The numbers of these ranks among 0, 1, 2, ... without those taken (increasing)."""
    others_before = taken - np.arange(len(taken), dtype=np.intp)  # how many are not taken before each
    return ranks + np.searchsorted(others_before, ranks, side="right").astype(np.intp)


def _masses(
    leaves: Sequence[FloatArray],
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64], float]:
    """Each piece's size, the sum of its |g| in units of the largest |g| (no overflow), and that one."""
    sizes, sums, tops = [], [], []
    for _, piece in _placed(leaves):
        magnitudes = _magnitudes(piece)
        sizes.append(len(piece))
        tops.append(float(magnitudes.max()))
        sums.append(float((magnitudes / (tops[-1] or 1.0)).sum()))
    largest = max(tops, default=0.0)
    masses = np.asarray(sums) * (np.asarray(tops) / (largest or 1.0))
    return np.asarray(sizes, dtype=np.int64), masses, largest


def _magnitudes(piece: FloatArray) -> npt.NDArray[np.float64]:
    """|g| in float64, with 0 for what is not finite."""
    magnitudes = np.abs(piece, dtype=np.float64)
    magnitudes[~np.isfinite(magnitudes)] = 0
    return magnitudes


def _placed(leaves: Sequence[FloatArray]) -> Iterator[tuple[int, FloatArray]]:
    """All leaves in pieces, each with the flat index of its first entry."""
    start = 0
    for leaf in leaves:
        for piece in pieces(np.asarray(leaf)):  # a memory map as a plain array: quicker, and no copy
            yield start, piece
            start += len(piece)


def _none() -> IndexArray:
    return np.empty(0, dtype=np.intp)
