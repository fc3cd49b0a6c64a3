"""Parts of the parameters that a probe moves: rectangles of blocks, split until one coordinate is left.

A block is seen as a matrix, its first axis by all others. A part of several rectangles is halved between
blocks, one of several rows between rows, and one row between its columns: mistakes have the shapes of rows,
columns and blocks (docs/numerics.md, Search).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from fastgrad.arrays import IndexArray
from fastgrad.problem.block import Block
from fastgrad.problem.parameters import Parameters


@dataclass(frozen=True)
class Rectangle:
    """Some rows and columns of one block."""

    block: int
    start: int  # flat index of the block's first coordinate
    width: int  # columns of the block
    rows: tuple[int, int]
    columns: tuple[int, int]

    @property
    def size(self) -> int:
        """How many coordinates it has."""
        return (self.rows[1] - self.rows[0]) * (self.columns[1] - self.columns[0])

    def stretches(self) -> Iterator[tuple[int, int]]:
        """(start, stop) inside the block, of consecutive coordinates; whole rows are one stretch."""
        (top, bottom), (left, right) = self.rows, self.columns
        if right - left == self.width:
            yield top * self.width, bottom * self.width
            return
        for row in range(top, bottom):
            yield row * self.width + left, row * self.width + right

    def flat_index(self, position: int) -> int:
        """The flat index of the coordinate at a position, row by row."""
        row, column = divmod(position, self.columns[1] - self.columns[0])
        return self.start + (self.rows[0] + row) * self.width + self.columns[0] + column

    def contains(self, indices: IndexArray) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Which of some flat indices lie in it."""
        row, column = np.divmod(indices - self.start, self.width)
        inside = (row >= self.rows[0]) & (row < self.rows[1])
        return np.asarray(inside & (column >= self.columns[0]) & (column < self.columns[1]))

    def halves(self) -> tuple[Rectangle, Rectangle]:
        """The same in two: rows where there are several, else columns."""
        (top, bottom), (left, right) = self.rows, self.columns
        if bottom - top > 1:
            middle = (top + bottom) // 2
            return replace(self, rows=(top, middle)), replace(self, rows=(middle, bottom))
        middle = (left + right) // 2
        return replace(self, columns=(left, middle)), replace(self, columns=(middle, right))


@dataclass(frozen=True)
class Region:
    """Some rectangles, in the order of their blocks."""

    rectangles: tuple[Rectangle, ...]

    @classmethod
    def whole(cls, parameters: Parameters, blocks: list[int] | None = None) -> Region:
        """All coordinates of some blocks, by default of all."""
        numbers = range(len(parameters.blocks)) if blocks is None else blocks
        chosen = ((k, parameters.blocks[k]) for k in numbers)
        return cls(tuple(_rectangle(k, b) for k, b in chosen if b.size))

    @property
    def size(self) -> int:
        """How many coordinates it has."""
        return sum(r.size for r in self.rectangles)

    def halves(self) -> tuple[Region, Region]:
        """The same in two, between blocks where there are several, each about half of the coordinates.

        Examples
        --------
        >>> p = Parameters({"W": np.zeros((4, 3)), "b": np.zeros(3)})
        >>> [half.size for half in Region.whole(p).halves()]
        [12, 3]
        >>> [half.size for half in Region.whole(p, [0]).halves()]
        [6, 6]
        """
        if len(self.rectangles) == 1:
            first, second = self.rectangles[0].halves()
            return Region((first,)), Region((second,))
        before = np.cumsum([r.size for r in self.rectangles])
        cut = 1 + int(np.argmin(np.abs(before[:-1] - self.size / 2)))
        return Region(self.rectangles[:cut]), Region(self.rectangles[cut:])

    def flat_index(self, position: int) -> int:
        """The flat index of the coordinate at a position, rectangle by rectangle, row by row."""
        for rectangle in self.rectangles:
            if position < rectangle.size:
                return rectangle.flat_index(position)
            position -= rectangle.size
        raise IndexError(position)

    def contains(self, indices: IndexArray) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Which of some flat indices lie in it."""
        found = np.zeros(len(indices), dtype=bool)
        for rectangle in self.rectangles:
            found |= rectangle.contains(indices)
        return found


def _rectangle(number: int, block: Block) -> Rectangle:
    rows = block.shape[0] if len(block.shape) > 1 else 1
    width = block.size // rows
    return Rectangle(number, block.start, width, (0, rows), (0, width))
