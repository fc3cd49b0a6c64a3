"""Where in a block the wrong entries are: from one on, a range, rows and columns, every k-th.

A pattern holds all bad entries and no good one; entries that are neither (next to 0, undecided) may lie in it
or not. It is none if no good entry lies outside of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fastgrad.arrays import IndexArray
from fastgrad.diagnosis.evidence import Evidence, Mask

IN_A_ROW = 3
"""Entries side by side before they are called a range: two may be neighbours by chance."""

IN_STEPS = 4
"""Entries at equal distances before they are called every k-th."""

LISTED = 6
"""Rows or columns that are listed one by one."""


@dataclass(frozen=True)
class Place:
    """The kind of a pattern, and the pattern in words, as in "only in row 2"."""

    kind: str
    words: str


def place(block: Evidence, bad: Mask, good: Mask) -> Place | None:
    """The pattern of the bad entries; None without one, or unless every entry was checked.

    Examples
    --------
    >>> W = np.arange(12.0)
    >>> no = np.zeros(12, bool)
    >>> block = Evidence("W", (3, 4), np.arange(12), W, W, W, no, no, W)
    >>> place(block, W % 4 == 1, W % 4 != 1).words
    'only in column 1'
    """
    if not (block.whole and bad.any() and good.any()):
        return None
    return _rectangle(block, bad, good) or _range(block, bad, good) or _stride(block, bad, good)


def _rectangle(block: Evidence, bad: Mask, good: Mask) -> Place | None:
    shape = block.shape
    sets = [np.unique(i) for i in np.unravel_index(np.flatnonzero(bad), shape)]
    cut = [axis for axis, n in enumerate(shape) if len(sets[axis]) < n]
    thick = sum(len(s) > 1 for s in sets)
    slab = len(cut) == 1 and any(len(s) > 1 for axis, s in enumerate(sets) if axis not in cut)
    if not (slab or (cut and thick > 1)):
        return None
    inside = np.zeros(shape, dtype=bool)
    inside[np.ix_(*sets)] = True
    inside = inside.reshape(-1)
    if 2 * bad.sum() < inside.sum() or not _separates(inside, good):
        return None
    names = ("row", "column") if len(shape) == 2 else [f"axis {axis}, index" for axis in range(len(shape))]
    return Place("rectangle", "only in " + " of ".join(_listed(names[a], sets[a]) for a in cut))


def _range(block: Evidence, bad: Mask, good: Mask) -> Place | None:
    at = np.flatnonzero(bad)
    inside = np.zeros(len(bad), dtype=bool)
    inside[at[0] : at[-1] + 1] = True
    if len(at) < IN_A_ROW or not _separates(inside, good):
        return None
    first, last = block.label(at[0]), block.label(at[-1])
    if not good[at[-1] :].any():
        return Place("range", f"from {first} on")
    return Place("range", f"up to {last}" if not good[: at[0]].any() else f"only from {first} to {last}")


def _stride(block: Evidence, bad: Mask, good: Mask) -> Place | None:
    at = np.flatnonzero(bad)
    step = int(np.gcd.reduce(np.diff(at))) if len(at) >= IN_STEPS else 0
    if step < 2:
        return None
    inside = np.zeros(len(bad), dtype=bool)
    inside[at[0] % step :: step] = True
    if not _separates(inside, good):
        return None
    return Place("stride", f"only at every {_ordinal(step)} entry from {block.label(at[0] % step)} on")


def _separates(inside: Mask, good: Mask) -> bool:
    return not bool((inside & good).any()) and bool((good & ~inside).any())


def _listed(name: str, numbers: IndexArray) -> str:
    """A set of rows or the like: "row 2", "rows 1 to 3", "columns 0 and 4"."""
    if len(numbers) == 1:
        return f"{name} {numbers[0]}"
    plural = name.replace("index", "indices") if name.endswith("index") else f"{name}s"
    if len(numbers) > 2 and numbers[-1] - numbers[0] == len(numbers) - 1:
        return f"{plural} {numbers[0]} to {numbers[-1]}"
    if len(numbers) > LISTED:
        return f"{len(numbers)} {plural}"
    return f"{plural} {joined([str(n) for n in numbers])}"


def joined(words: Sequence[str]) -> str:
    """A list in words: "W1, W2 and b1"."""
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else words[0]


def _ordinal(n: int) -> str:
    ending = "th" if 10 <= n % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(n % 10, "th")
    return f"{n}{ending}"
