"""Which coordinates are checked: all, those that the user names, or some that are drawn at random.

`strategy` asks for a choice and gets (m,) increasing flat indices, and the `Selection` that says how they
were chosen. The report makes its `Coverage` from that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from fastgrad.arrays import FloatArray, IndexArray
from fastgrad.errors import InputError
from fastgrad.index_sets import all_or_spread, distinct
from fastgrad.options import check_seed
from fastgrad.problem.describe import describe
from fastgrad.problem.parameters import Parameters
from fastgrad.sampling.within_block import draw_by_importance, plan_block

SMALLEST_SHARE = 16
"""Draws that each block gets before the others are shared out by size. By size alone a sample may hold no
bias at all (CS231n warns of that). A block gets fewer where there are not so many draws for each."""

LISTED_IN_FULL = 2**20
"""The largest number of coordinates that are listed to choose an engine for them. The list takes as much
memory as the parameters."""

REPRESENTATIVES = 2**16
"""Coordinates at equal distances that an engine is chosen for where there are more than that."""


@dataclass(frozen=True)
class Selection:
    """How the coordinates to check were chosen, and how many there are."""

    checked: int
    """How many are to be checked."""
    total: int
    """The number of all coordinates."""
    how: str
    """"all", "random", "importance" or "given"."""
    seed: int | None
    """The seed of the draws; None where nothing was drawn."""
    per_block: tuple[int, ...]
    """How many are to be checked in each block."""
    unvisited: tuple[str, ...]
    """The names of blocks without a checked coordinate."""
    unvisited_shown: tuple[str, ...] = ()
    """The same names as they are printed."""
    drawn: IndexArray | None = field(default=None, repr=False, compare=False)
    """The flat indices that were drawn at random, without those picked on purpose. Draws by importance are
    with replacement: an index that was drawn twice is there twice."""


def choose_coordinates(
    coordinates: Any,
    parameters: Parameters,
    seed: int,
    gradient: Sequence[FloatArray] | None = None,
    draw: str = "uniform",
) -> tuple[IndexArray, Selection]:
    """The flat indices to check, increasing and without repeats, and how they were chosen.

    Parameters
    ----------
    coordinates : "auto" or "all" for every coordinate, an int for a random subset of that size drawn
        without replacement with at least some from each block, a float for a fraction of them, or an array
        of flat indices
    parameters : Parameters
    seed : int, for the random subset
    gradient : the claimed gradient, a flat array for each block, from which extreme entries and zeros are
        picked on purpose; None if there is none
    draw : "uniform", or "importance" to draw larger entries of the claimed gradient more often

    Raises
    ------
    InputError
        For a subset that is empty or larger than the parameters, an index out of range, or anything else.

    Examples
    --------
    >>> p = Parameters({"W": np.zeros((100, 100)), "b": np.zeros(100)})
    >>> indices, selection = choose_coordinates(50, p, seed=0)
    >>> len(indices), selection.per_block
    (50, (34, 16))
    """
    check_seed(seed)
    if isinstance(coordinates, str):
        if coordinates not in ("auto", "all"):
            raise InputError(_what_is_taken(coordinates), code="FG416")
        return np.arange(parameters.size, dtype=np.intp), selection_of(parameters, "all", None)
    count = _count(coordinates, parameters)
    if count is None:
        indices = _given(coordinates, parameters)
        return indices, selection_of(parameters, "given", None, indices)
    if draw == "importance" and gradient is not None:
        return draw_important(count, parameters, seed, gradient)
    counts = share_out(count, [b.size for b in parameters.blocks], np.random.default_rng(seed))
    return draw_blocks(counts.tolist(), parameters, seed, gradient)


def _count(coordinates: object, parameters: Parameters) -> int | None:
    """How many coordinates a number or a fraction asks for; None for what is neither."""
    if isinstance(coordinates, float | np.floating):
        if not 0 < coordinates <= 1:
            raise InputError(
                f"coordinates={coordinates!r}: a fraction is over 0 and up to 1; a number of them is an int",
                code="FG416",
            )
        return max(1, round(float(coordinates) * parameters.size))
    if not isinstance(coordinates, int | np.integer) or isinstance(coordinates, bool):
        return None
    count = int(coordinates)
    if count < 1:
        raise InputError(f"coordinates={count}: a subset has at least one coordinate", code="FG416")
    if count > parameters.size:
        raise InputError(
            f"coordinates={count:,} is more than the {parameters.size:,} parameters there are; "
            'coordinates="all" checks every one',
            code="FG416",
        )
    return count


def share_out(count: int, sizes: Sequence[int], rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """How many of `count` draws each block gets, never more than its size.

    Each block gets a minimum, and the rest is shared out by the coordinates that are left. With fewer draws
    than blocks, as many blocks as there are draws get one each, at random.

    Parameters
    ----------
    count : the draws
    sizes : (blocks,) the number of coordinates of each
    rng : for the choice among the blocks where there are fewer draws
    """
    room = np.asarray(sizes, dtype=np.int64)
    occupied = np.flatnonzero(room)
    if count <= 0 or len(occupied) == 0:
        return np.zeros_like(room)
    if count < len(occupied):
        counts = np.zeros_like(room)
        counts[rng.choice(occupied, count, replace=False)] = 1
        return counts
    counts = np.minimum(room, min(SMALLEST_SHARE, max(1, count // len(occupied))))
    while (rest := count - int(counts.sum())) > 0:
        free = room - counts
        share = np.minimum(free, rest * free // int(free.sum()))
        if share.sum() == 0:  # fewer draws are left than blocks: those with most coordinates left get one
            share[np.argsort(-free, kind="stable")[:rest]] = 1
        counts += share
    return counts


def representatives(size: int) -> IndexArray:
    """Flat indices that stand for all `size` coordinates where an engine is chosen: all, or some of many."""
    return all_or_spread(size, LISTED_IN_FULL, REPRESENTATIVES)


def draw_blocks(
    counts: Sequence[int],
    parameters: Parameters,
    seed: int,
    gradient: Sequence[FloatArray] | None = None,
) -> tuple[IndexArray, Selection]:
    """Some coordinates of each block: a part of a large count is picked on purpose, the others are drawn.

    Parameters
    ----------
    counts : (blocks,) how many coordinates of each
    parameters, seed, gradient : as for choose_coordinates
    """
    rng = np.random.default_rng([seed, 1])
    chosen, drawn = [], []
    for k, (block, count) in enumerate(zip(parameters.blocks, counts, strict=True)):
        plan = plan_block(block.shape, None if gradient is None else gradient[k], count, rng)
        drawn.append(block.start + plan.drawn)
        chosen.append(block.start + plan.all)
    indices = np.concatenate(chosen).astype(np.intp)
    selection = selection_of(parameters, "random", seed, indices)
    return indices, replace(selection, drawn=np.concatenate(drawn).astype(np.intp))


def draw_important(
    count: int, parameters: Parameters, seed: int, gradient: Sequence[FloatArray]
) -> tuple[IndexArray, Selection]:
    """Draws with replacement that are more likely for larger entries of the claimed gradient.

    Parameters
    ----------
    count : how many draws
    parameters, seed, gradient : as for choose_coordinates
    """
    drawn = draw_by_importance(gradient, count, np.random.default_rng([seed, 2]))
    indices = distinct(drawn)
    return indices, replace(selection_of(parameters, "importance", seed, indices), drawn=drawn)


def _given(coordinates: Any, parameters: Parameters) -> IndexArray:
    """The user's flat indices, increasing and without repeats."""
    try:
        indices = np.asarray(coordinates)
    except ValueError as error:
        raise InputError(_what_is_taken(coordinates), code="FG416") from error
    if indices.dtype.kind not in "iu" or indices.ndim != 1 or indices.size == 0:
        raise InputError(_what_is_taken(coordinates), code="FG416")
    outside = (indices < 0) | (indices >= parameters.size)
    if outside.any():
        raise InputError(
            f"coordinate {indices[np.argmax(outside)]} is out of range: flat indices run from 0 to "
            f"{parameters.size - 1}",
            code="FG417",
        )
    return distinct(indices).astype(np.intp)


def selection_of(
    parameters: Parameters, how: str, seed: int | None, indices: IndexArray | None = None
) -> Selection:
    """The selection of some flat indices (None: of all), counted block by block."""
    sizes = tuple(b.size for b in parameters.blocks)
    if indices is None:
        return Selection(parameters.size, parameters.size, how, seed, sizes, ())
    counts = np.bincount(parameters.block_numbers(indices), minlength=len(sizes))
    unvisited = [b for b, c in zip(parameters.blocks, counts, strict=True) if b.size and not c]
    names, shown = tuple(b.name for b in unvisited), tuple(b.shown for b in unvisited)
    per_block = tuple(int(c) for c in counts)
    return Selection(len(indices), parameters.size, how, seed, per_block, names, shown)


def _what_is_taken(coordinates: object) -> str:
    return (
        'coordinates must be "auto", "all", a number or a fraction of them to draw, or a one-dimensional '
        f"array of flat indices (integers; np.flatnonzero(mask) for a mask); got {describe(coordinates)}"
    )
