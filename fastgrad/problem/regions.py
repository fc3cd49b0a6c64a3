"""Regions: sets of coordinates that a probe moves, as rectangles of blocks.

`directions` makes a region of all coordinates and halves it until it has found the wrong ones; the
directional engine moves the coordinates of a region.

A block is seen as a matrix, its first axis by all others. A region of several rectangles is halved between
blocks, a rectangle of several rows between rows, and a single row between columns: mistakes have the shapes
of blocks, rows and columns (docs/numerics.md, Search).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from fastgrad.problem.block import Block
from fastgrad.problem.parameters import Parameters


@dataclass(frozen=True)
class Rectangle:
    """Consecutive rows and columns of one block, each as (start, stop)."""

    block: int
    """The number of the block."""
    start: int
    """The flat index of the block's first coordinate."""
    width: int
    """The number of columns of the block."""
    rows: tuple[int, int]
    columns: tuple[int, int]

    @property
    def size(self) -> int:
        """The number of its coordinates."""
        return (self.rows[1] - self.rows[0]) * (self.columns[1] - self.columns[0])

    def stretches(self) -> Iterator[tuple[int, int]]:
        """Its consecutive coordinates as (start, stop) inside the block; whole rows are one stretch."""
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

    def halves(self) -> tuple[Rectangle, Rectangle]:
        """Its two halves: of its rows if there are several, else of its columns."""
        (top, bottom), (left, right) = self.rows, self.columns
        if bottom - top > 1:
            middle = (top + bottom) // 2
            return replace(self, rows=(top, middle)), replace(self, rows=(middle, bottom))
        middle = (left + right) // 2
        return replace(self, columns=(left, middle)), replace(self, columns=(middle, right))


@dataclass(frozen=True)
class Region:
    """Rectangles of different blocks, in the order of the blocks."""

    rectangles: tuple[Rectangle, ...]

    @classmethod
    def whole(cls, parameters: Parameters, blocks: list[int] | None = None) -> Region:
        """All coordinates of the blocks with these numbers; None for all blocks."""
        numbers = range(len(parameters.blocks)) if blocks is None else blocks
        chosen = ((k, parameters.blocks[k]) for k in numbers)
        return cls(tuple(_rectangle(k, b) for k, b in chosen if b.size))

    @property
    def size(self) -> int:
        """The number of its coordinates."""
        return sum(r.size for r in self.rectangles)

    def halves(self) -> tuple[Region, Region]:
        """Two regions that share its coordinates: of the first and the last blocks if there are several.

        The cut between blocks is where both have about half of the coordinates.

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


def _rectangle(number: int, block: Block) -> Rectangle:
    rows = block.shape[0] if len(block.shape) > 1 else 1
    width = block.size // rows
    return Rectangle(number, block.start, width, (0, rows), (0, width))
