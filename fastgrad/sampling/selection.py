"""Which coordinates are checked: all, those that the user names, or some that are drawn at random.

`strategy` asks for a choice and gets (m,) increasing flat indices, and the `Selection` that says how they
were chosen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from fastgrad.arrays import IndexArray
from fastgrad.errors import InputError
from fastgrad.index_sets import distinct, spread_over
from fastgrad.options import check_seed
from fastgrad.problem.block import describe
from fastgrad.problem.parameters import Parameters
from fastgrad.sampling.within_block import draw_by_importance, plan_block

SMALLEST_SHARE = 16
"""Coordinates that each block gets before the rest is shared out by size, so that biases do not vanish
in a flat sample (CS231n's warning); fewer where the sample has not that many for each block."""


@dataclass(frozen=True)
class Selection:
    """Which coordinates are to be checked: how many of how many, chosen how, and how many in each block."""

    checked: int
    total: int
    how: str
    """"all", "random", "importance" or "given"."""
    seed: int | None
    per_block: tuple[int, ...]
    unvisited: tuple[str, ...]
    """The names of blocks without a checked coordinate."""
    drawn: IndexArray | None = field(default=None, repr=False, compare=False)
    """Flat indices drawn at random, of all that were not picked on purpose; with repeats by importance."""


def choose_coordinates(
    coordinates: Any,
    parameters: Parameters,
    seed: int,
    gradient: Sequence[npt.NDArray[Any]] | None = None,
    draw: str = "uniform",
) -> tuple[IndexArray, Selection]:
    """The flat indices to check, increasing and without repeats, and what they cover.

    Parameters
    ----------
    coordinates : "auto" or "all" for every coordinate, an int for a random subset of that size drawn
        without replacement with at least some from each block, a float for a fraction of them, or an array
        of flat indices
    parameters : Parameters
    seed : int, for the random subset
    gradient : the claimed one, a flat array for each block: its extremes and zeros are picked on purpose
    draw : "uniform", or "importance" for larger entries of it more often

    Raises
    ------
    InputError
        For a subset larger than the parameters or empty, an index out of range, or anything else.

    Examples
    --------
    >>> p = Parameters({"W": np.zeros((100, 100)), "b": np.zeros(100)})
    >>> indices, coverage = choose_coordinates(50, p, seed=0)
    >>> len(indices), coverage.per_block
    (50, (34, 16))
    """
    n = parameters.size
    check_seed(seed)
    if isinstance(coordinates, str):
        if coordinates not in ("auto", "all"):
            raise InputError(_what_is_taken(coordinates))
        return np.arange(n, dtype=np.intp), selection_of(parameters, "all", None)
    if isinstance(coordinates, float | np.floating):
        if not 0 < coordinates <= 1:
            raise InputError(
                f"coordinates={coordinates!r}: a fraction is over 0 and up to 1; a number of them is an int"
            )
        coordinates = max(1, round(coordinates * n))
    if isinstance(coordinates, int | np.integer) and not isinstance(coordinates, bool):
        size = int(coordinates)
        _check_size(size, parameters)
        if draw == "importance" and gradient is not None:
            return draw_important(size, parameters, seed, gradient)
        counts = share_out(size, [b.size for b in parameters.blocks], np.random.default_rng(seed))
        return draw_blocks(counts.tolist(), parameters, seed, gradient)
    indices = _given(coordinates, parameters)
    return indices, selection_of(parameters, "given", None, indices)


def share_out(size: int, sizes: Sequence[int], rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """How many of `size` draws each block gets: a minimum each, the rest by size, never over a block's size.

    With fewer draws than blocks, as many blocks as there are draws get one each, at random.
    """
    room = np.asarray(sizes, dtype=np.int64)
    occupied = np.flatnonzero(room)
    if size <= 0 or len(occupied) == 0:
        return np.zeros_like(room)
    if size < len(occupied):
        counts = np.zeros_like(room)
        counts[rng.choice(occupied, size, replace=False)] = 1
        return counts
    counts = np.minimum(room, min(SMALLEST_SHARE, max(1, size // len(occupied))))
    while (rest := size - int(counts.sum())) > 0:
        free = room - counts
        share = np.minimum(free, rest * free // int(free.sum()))
        if share.sum() == 0:  # fewer left than blocks: the largest remainders get one each
            share[np.argsort(-free, kind="stable")[:rest]] = 1
        counts += share
    return counts


MANY = 2**20
"""Coordinates up to which all are meant by all where an engine is chosen for them: a list of 1e8 takes as
much memory as the parameters."""


SPREAD = 2**16
"""How many stand for all of very many."""


def spread(size: int) -> IndexArray:
    """All flat indices; of more than MANY only SPREAD of them, over all."""
    if size <= MANY:
        return np.arange(size, dtype=np.intp)
    return spread_over(size, SPREAD)


def count_coordinates(coordinates: Any, parameters: Parameters) -> int:
    """How many coordinates an option asks for, everything for those it leaves to fastgrad."""
    if isinstance(coordinates, str):
        return parameters.size
    if isinstance(coordinates, float | np.floating):
        return max(1, round(float(coordinates) * parameters.size))
    whole = isinstance(coordinates, int | np.integer)
    return int(coordinates) if whole else len(distinct(np.asarray(coordinates).reshape(-1)))


def _check_size(size: int, parameters: Parameters) -> None:
    if size < 1:
        raise InputError(f"coordinates={size}: a subset has at least one coordinate")
    if size > parameters.size:
        raise InputError(
            f"coordinates={size:,} is more than the {parameters.size:,} parameters there are; "
            'coordinates="all" checks every one'
        )


def draw_blocks(
    counts: Sequence[int],
    parameters: Parameters,
    seed: int,
    gradient: Sequence[npt.NDArray[Any]] | None = None,
) -> tuple[IndexArray, Selection]:
    """So many coordinates of each block: some picked on purpose where there are many, the others at random.

    Parameters
    ----------
    counts : (blocks,) how many of each
    parameters, seed, gradient : as for choose_coordinates
    """
    rng = np.random.default_rng([seed, 1])
    chosen, drawn = [], []
    for k, (block, count) in enumerate(zip(parameters.blocks, counts, strict=True)):
        plan = plan_block(block.shape, None if gradient is None else gradient[k], count, rng)
        drawn.append(block.start + plan.drawn)
        chosen.append(block.start + np.sort(np.concatenate([plan.picked, plan.drawn])))
    indices = np.concatenate(chosen).astype(np.intp)
    coverage = selection_of(parameters, "random", seed, indices)
    return indices, replace(coverage, drawn=np.concatenate(drawn).astype(np.intp))


def draw_important(
    size: int, parameters: Parameters, seed: int, gradient: Sequence[npt.NDArray[Any]]
) -> tuple[IndexArray, Selection]:
    """So many draws, with replacement, of larger entries of the claimed gradient more often.

    Parameters
    ----------
    size : how many draws
    parameters, seed, gradient : as for choose_coordinates
    """
    drawn = draw_by_importance(gradient, size, np.random.default_rng([seed, 2]))
    indices = distinct(drawn)
    return indices, replace(selection_of(parameters, "importance", seed, indices), drawn=drawn)


def _given(coordinates: Any, parameters: Parameters) -> IndexArray:
    try:
        indices = np.asarray(coordinates)
    except ValueError as error:
        raise InputError(_what_is_taken(coordinates)) from error
    if indices.dtype.kind not in "iu" or indices.ndim != 1 or indices.size == 0:
        raise InputError(_what_is_taken(coordinates))
    outside = (indices < 0) | (indices >= parameters.size)
    if outside.any():
        raise InputError(
            f"coordinate {indices[np.argmax(outside)]} is out of range: flat indices run from 0 to "
            f"{parameters.size - 1}"
        )
    return distinct(indices).astype(np.intp)


def selection_of(
    parameters: Parameters, how: str, seed: int | None, indices: IndexArray | None = None
) -> Selection:
    """The selection of some coordinates (None: of all), counted block by block."""
    sizes = tuple(b.size for b in parameters.blocks)
    if indices is None:
        return Selection(parameters.size, parameters.size, how, seed, sizes, ())
    counts = np.bincount(parameters.block_numbers(indices), minlength=len(sizes))
    unvisited = [b.name for b, c in zip(parameters.blocks, counts, strict=True) if b.size and not c]
    per_block = tuple(int(c) for c in counts)
    return Selection(len(indices), parameters.size, how, seed, per_block, tuple(unvisited))


def _what_is_taken(coordinates: Any) -> str:
    return (
        'coordinates must be "auto", "all", a number or a fraction of them to draw, or a one-dimensional '
        f"array of flat indices (integers; np.flatnonzero(mask) for a mask); got {describe(coordinates)}"
    )
