"""Which coordinates are checked, and what that choice covers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fastgrad.errors import InputError
from fastgrad.parameters import Block, IndexArray, Parameters, describe

SMALLEST_SHARE = 16
"""Coordinates that each block gets before the rest is shared out by size, so that biases do not vanish
in a flat sample (CS231n's warning); fewer where the sample has not that many for each block."""


@dataclass(frozen=True)
class Coverage:
    """What was checked: how many of how many coordinates, chosen how, and how many in each block."""

    checked: int
    total: int
    how: str  # "all", "random" or "given"
    seed: int | None
    per_block: tuple[int, ...]
    unvisited: tuple[str, ...]  # blocks without a checked coordinate

    @property
    def fraction(self) -> float:
        """The share of the coordinates that was checked."""
        return self.checked / self.total

    @property
    def sentence(self) -> str:
        """The same in words."""
        if self.how == "all":
            return f"all {self.total:,} coordinates"
        text = f"{self.checked:,} of {self.total:,} coordinates"
        if self.how == "random":
            place = "" if self.unvisited else " from every block"
            text += f", drawn without replacement{place}, seed {self.seed}"
        else:
            text += ", as given"
        if self.unvisited:
            text += f"; not one in {', '.join(self.unvisited)}"
        return text


def choose_coordinates(coordinates: Any, parameters: Parameters, seed: int) -> tuple[IndexArray, Coverage]:
    """The flat indices to check, increasing and without repeats, and what they cover.

    Parameters
    ----------
    coordinates : "auto" or "all" for every coordinate, an int for a random subset of that size drawn
        without replacement with at least some from each block, or an array of flat indices
    parameters : Parameters
    seed : int, for the random subset

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
    _check_seed(seed)
    if isinstance(coordinates, str):
        if coordinates not in ("auto", "all"):
            raise InputError(_what_is_taken(coordinates))
        return np.arange(n, dtype=np.intp), _coverage(parameters, "all", None)
    if isinstance(coordinates, int | np.integer) and not isinstance(coordinates, bool):
        indices = _draw(int(coordinates), parameters, seed)
        return indices, _coverage(parameters, "random", seed, indices)
    indices = _given(coordinates, parameters)
    return indices, _coverage(parameters, "given", None, indices)


def share_out(size: int, sizes: Sequence[int], rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """How many of `size` draws each block gets: a minimum each, the rest by size, never over a block's size.

    With fewer draws than blocks, as many blocks as there are draws get one each, at random.
    """
    room = np.asarray(sizes, dtype=np.int64)
    occupied = np.flatnonzero(room)
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


def _check_seed(seed: Any) -> None:
    if not isinstance(seed, int | np.integer) or isinstance(seed, bool) or seed < 0:
        raise InputError(f"seed must be an integer >= 0; got {seed!r}")


def _draw(size: int, parameters: Parameters, seed: int) -> IndexArray:
    if size < 1:
        raise InputError(f"coordinates={size}: a subset has at least one coordinate")
    if size > parameters.size:
        raise InputError(
            f"coordinates={size:,} is more than the {parameters.size:,} parameters there are; "
            'coordinates="all" checks every one'
        )
    rng = np.random.default_rng(seed)
    counts = share_out(size, [b.size for b in parameters.blocks], rng)
    drawn = [_draw_block(b, int(c), rng) for b, c in zip(parameters.blocks, counts, strict=True)]
    return np.concatenate(drawn)


def _draw_block(block: Block, count: int, rng: np.random.Generator) -> IndexArray:
    if count == 0:
        return np.empty(0, dtype=np.intp)
    inside = rng.choice(block.size, count, replace=False, shuffle=False)
    return block.start + np.sort(inside).astype(np.intp)


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
    return np.unique(indices).astype(np.intp)


def _coverage(
    parameters: Parameters, how: str, seed: int | None, indices: IndexArray | None = None
) -> Coverage:
    sizes = tuple(b.size for b in parameters.blocks)
    if indices is None:
        return Coverage(parameters.size, parameters.size, how, seed, sizes, ())
    counts = np.bincount(parameters.block_numbers(indices), minlength=len(sizes))
    unvisited = [b.name for b, c in zip(parameters.blocks, counts, strict=True) if b.size and not c]
    per_block = tuple(int(c) for c in counts)
    return Coverage(len(indices), parameters.size, how, seed, per_block, tuple(unvisited))


def _what_is_taken(coordinates: Any) -> str:
    return (
        'coordinates must be "auto", "all", a number of coordinates to draw, or a one-dimensional '
        f"array of flat indices (integers; np.flatnonzero(mask) for a mask); got {describe(coordinates)}"
    )
