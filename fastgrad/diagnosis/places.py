"""Where in a block the wrong entries are: some rows and columns, a triangle, a range, or every k-th entry.

Detectors call `pattern_of` with (m,) masks of bad and good entries, and get the `Pattern` in words.

A pattern contains all bad entries and no good one, and some good entry is outside of it. Entries that are
neither bad nor good may be in it or not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fastgrad.arrays import IndexArray
from fastgrad.diagnosis.evidence import Evidence, Mask

SHORTEST_RANGE = 3
"""The shortest range: two entries may be neighbours by chance."""

FEWEST_AT_EQUAL_DISTANCES = 4
"""The fewest entries that are called every k-th: three may be at equal distances by chance."""

LISTED_ONE_BY_ONE = 6
"""The most rows or columns that a sentence lists one by one; of more it says the number."""


@dataclass(frozen=True)
class Pattern:
    """Where the bad entries are."""

    kind: str
    """"rectangle", "triangle", "range", "stride" or "complex part"."""
    words: str
    """Such as "only in row 2"."""


def pattern_of(block: Evidence, bad: Mask, good: Mask) -> Pattern | None:
    """The pattern of the bad entries; None if they have none, or if some entries were not checked.

    Examples
    --------
    >>> W = np.arange(12.0)
    >>> no = np.zeros(12, bool)
    >>> block = Evidence("W", (3, 4), np.arange(12), W, W, W, no, no, W)
    >>> pattern_of(block, W % 4 == 1, W % 4 != 1).words
    'only in column 1'
    """
    if not (block.whole and bad.any() and good.any()):
        return None
    if block.form is not None and block.form.is_complex:
        return _one_part(block, bad, good)
    return (
        _rectangle(block, bad, good)
        or _triangle(block, bad, good)
        or _range(block, bad, good)
        or _stride(block, bad, good)
    )


def _one_part(block: Evidence, bad: Mask, good: Mask) -> Pattern | None:
    """The real, or the imaginary, parts of complex numbers."""
    for part, word in enumerate(("real", "imaginary")):
        inside = block.inside % 2 == part
        if inside[bad].all() and not inside[good].any():
            return Pattern("complex part", f"only in the {word} parts")
    return None


def _rectangle(block: Evidence, bad: Mask, good: Mask) -> Pattern | None:
    """Some rows, some columns, or some rows of some columns; of other blocks the same with axes."""
    shape = block.shape
    sets = [np.unique(i) for i in np.unravel_index(np.flatnonzero(bad), shape)]
    several = [len(s) > 1 for s in sets]
    cut = [axis for axis, n in enumerate(shape) if len(sets[axis]) < n]
    whole_lines = len(cut) == 1 and any(several[axis] for axis in range(len(shape)) if axis not in cut)
    if not (whole_lines or (cut and sum(several) > 1)):
        return None
    inside = np.zeros(shape, dtype=bool)
    inside[np.ix_(*sets)] = True
    inside = inside.reshape(-1)
    if 2 * bad.sum() < inside.sum() or not _separates(inside, good):
        return None
    names = ("row", "column") if len(shape) == 2 else [f"axis {axis}, index" for axis in range(len(shape))]
    return Pattern("rectangle", "only in " + " of ".join(_listed(names[a], sets[a]) for a in cut))


def _triangle(block: Evidence, bad: Mask, good: Mask) -> Pattern | None:
    """The diagonal of a square matrix, one side of it, or both sides."""
    shape = block.shape
    if len(shape) != 2 or shape[0] != shape[1] or bad.sum() < SHORTEST_RANGE:
        return None
    rows, columns = np.unravel_index(np.arange(block.size), shape)
    for words, inside in (
        ("only above the diagonal", rows < columns),
        ("only below the diagonal", rows > columns),
        ("only on the diagonal", rows == columns),
        ("only off the diagonal", rows != columns),
    ):
        if not (bad & ~inside).any() and 2 * bad.sum() >= inside.sum() and _separates(inside, good):
            return Pattern("triangle", words)
    return None


def _range(block: Evidence, bad: Mask, good: Mask) -> Pattern | None:
    """Consecutive entries in flat order."""
    at = np.flatnonzero(bad)
    inside = np.zeros(len(bad), dtype=bool)
    inside[at[0] : at[-1] + 1] = True
    if len(at) < SHORTEST_RANGE or not _separates(inside, good):
        return None
    first, last = block.label(at[0]), block.label(at[-1])
    if not good[at[-1] :].any():
        return Pattern("range", f"from {first} on")
    return Pattern("range", f"up to {last}" if not good[: at[0]].any() else f"only from {first} to {last}")


def _stride(block: Evidence, bad: Mask, good: Mask) -> Pattern | None:
    """Entries at equal distances in flat order."""
    at = np.flatnonzero(bad)
    step = int(np.gcd.reduce(np.diff(at))) if len(at) >= FEWEST_AT_EQUAL_DISTANCES else 0
    if step < 2:
        return None
    inside = np.zeros(len(bad), dtype=bool)
    inside[at[0] % step :: step] = True
    if not _separates(inside, good):
        return None
    return Pattern("stride", f"only at every {_ordinal(step)} entry from {block.label(at[0] % step)} on")


def _separates(inside: Mask, good: Mask) -> bool:
    """Whether no good entry is inside, and some good entry is outside."""
    return not bool((inside & good).any()) and bool((good & ~inside).any())


def _listed(name: str, numbers: IndexArray) -> str:
    """Rows or columns in words: "row 2", "rows 1 to 3", "columns 0 and 4"."""
    if len(numbers) == 1:
        return f"{name} {numbers[0]}"
    plural = name.replace("index", "indices") if name.endswith("index") else f"{name}s"
    if len(numbers) > 2 and numbers[-1] - numbers[0] == len(numbers) - 1:
        return f"{plural} {numbers[0]} to {numbers[-1]}"
    if len(numbers) > LISTED_ONE_BY_ONE:
        return f"{len(numbers)} {plural}"
    return f"{plural} {joined([str(n) for n in numbers])}"


def joined(words: Sequence[str]) -> str:
    """A list in words: "W1, W2 and b1"."""
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else words[0]


def _ordinal(n: int) -> str:
    ending = "th" if 10 <= n % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(n % 10, "th")
    return f"{n}{ending}"
