"""Where in a block the errors are: a map of cells, each as bad as its worst coordinate.

The maximum is taken and not the mean: one wrong entry among a million is seen.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fastgrad.report.pictures.levels import Levels, levels_of

if TYPE_CHECKING:
    from fastgrad.arrays import IndexArray
    from fastgrad.report.data import ReportData

BLOCKS = 12
"""Maps in a report at most: those of the worst blocks."""

CELLS = 64
"""Cells of a map in each direction at most. A map is then 6 mm a cell on a wide page, 1.5 on a phone."""

LINE = 32
"""Entries of a vector up to which it is one line of cells; a longer one is folded."""


@dataclass(frozen=True, eq=False)
class HeatMap:
    """The cells of one block."""

    name: str
    """The block as it is printed."""
    shape: tuple[int, ...]
    sheet: tuple[int, int]
    """Rows and columns of entries that are shown."""
    folded: bool
    """Whether it is a vector that is read line by line."""
    each: tuple[int, int]
    """Rows and columns of entries in a cell."""
    levels: Levels
    """(rows, columns) of cells: the worst level in each."""

    @property
    def of_a_cell(self) -> int:
        """Entries in a cell."""
        return self.each[0] * self.each[1]


def heat_maps(report: ReportData, most: int = BLOCKS) -> tuple[HeatMap, ...]:
    """The maps of the worst blocks of which something was checked, worst first.

    Parameters
    ----------
    report : what was found
    most : maps at most
    """
    rows = [
        (row, start, name)
        for row, start, name in zip(report.blocks, _starts(report), report.shown_blocks, strict=True)
        if row.checked and row.size > 1
    ]
    rows.sort(key=lambda found: (-found[0].wrong, -found[0].undecided))
    levels = levels_of(report)
    maps = []
    for row, start, name in rows[:most]:
        first, last = np.searchsorted(report.indices, (start, start + row.size))  # indices increase
        maps.append(_map(name, row.shape, report.indices[first:last] - start, levels[first:last]))
    return tuple(maps)


def _starts(report: ReportData) -> list[int]:
    """The flat index at which each block begins."""
    return [int(k) for k in np.cumsum([0, *(row.size for row in report.blocks)])[:-1]]


def _map(name: str, shape: tuple[int, ...], inside: IndexArray, levels: Levels) -> HeatMap:
    """The map of one block, from the entries in it that were checked."""
    sheet, folded = sheet_of(shape)
    cells = (min(sheet[0], CELLS), min(sheet[1], CELLS))
    each = (math.ceil(sheet[0] / cells[0]), math.ceil(sheet[1] / cells[1]))
    grid = np.zeros((math.ceil(sheet[0] / each[0]), math.ceil(sheet[1] / each[1])), dtype=np.uint8)
    at = (inside // sheet[1] // each[0], inside % sheet[1] // each[1])
    np.maximum.at(grid, at, levels)
    return HeatMap(name, shape, sheet, folded, each, grid)


def sheet_of(shape: tuple[int, ...]) -> tuple[tuple[int, int], bool]:
    """Rows and columns as which a block is shown, and whether it is a folded vector.

    Of an array of more dimensions a row is what stands under one first index, such as one output channel.

    Examples
    --------
    >>> sheet_of((784, 256)), sheet_of((16, 3, 5, 5)), sheet_of((10,)), sheet_of((100,))
    (((784, 256), False), ((16, 75), False), ((1, 10), False), ((5, 20), True))
    """
    size = math.prod(shape)
    if len(shape) > 1:
        return (shape[0], size // shape[0]), False
    if size <= LINE:
        return (1, size), False
    columns = min(size, math.ceil(2 * math.sqrt(size)))
    return (math.ceil(size / columns), columns), True
