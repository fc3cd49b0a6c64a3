"""The blocks of two reports, side by side, for changes.py: each with its coordinates counted from its start.

Flat indices of two reports are not compared: a block may have moved.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fastgrad.arrays import IndexArray
from fastgrad.printable import shown_names
from fastgrad.report.data import ReportData
from fastgrad.report.findings import BlockRow


@dataclass(frozen=True, eq=False)
class Side:
    """A block in one report; indices are sorted, and counted from the block's first coordinate."""

    row: BlockRow
    shown: str
    """The name as it is printed."""
    place: int
    start: int
    checked: IndexArray
    wrong: IndexArray
    undecided: IndexArray


Pair = tuple[Side | None, Side | None]


def sides_of(report: ReportData) -> list[Side]:
    """The blocks of a report, in its order."""
    sizes = np.array([row.size for row in report.blocks], dtype=np.intp)
    starts = np.cumsum(sizes) - sizes
    parts = [
        _by_block(indices, starts, sizes)
        for indices in (report.indices, report.wrong.flat_indices, report.undecided.flat_indices)
    ]
    shown = shown_names([row.name for row in report.blocks])
    return [
        Side(row, shown[k], k, int(starts[k]), *(part[k] for part in parts))
        for k, row in enumerate(report.blocks)
    ]


def paired(before: Sequence[Side], now: Sequence[Side]) -> list[Pair]:
    """Each block with itself as it was, by name; None beside one that is new, or that is gone.

    A block of another name in the same place with the same shape is the same one, renamed.
    """
    was = {side.row.name: side for side in before}
    names = {side.row.name for side in now}
    pairs: list[Pair] = [(was.get(side.row.name) or _renamed(side, before, names, was), side) for side in now]
    used = {id(old) for old, _ in pairs}
    return pairs + [(side, None) for side in before if id(side) not in used]


def _renamed(side: Side, before: Sequence[Side], names: set[str], was: dict[str, Side]) -> Side | None:
    if side.row.name in was or side.place >= len(before):
        return None
    old = before[side.place]
    return old if old.row.name not in names and old.row.shape == side.row.shape else None


def _by_block(indices: IndexArray, starts: IndexArray, sizes: IndexArray) -> list[IndexArray]:
    indices = np.sort(indices)
    first, last = np.searchsorted(indices, starts), np.searchsorted(indices, starts + sizes)
    return [indices[i:j] - start for i, j, start in zip(first, last, starts, strict=True)]
