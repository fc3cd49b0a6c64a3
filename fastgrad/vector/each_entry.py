"""Every entry of J by itself, on its own scale: a small one in a column of large ones hides in their sum.

Two evaluations of F for each group of columns give differences of all entries. What differs from the claim is
a suspicion only, which `entries.confirmed` settles by careful differences of that one output.
"""

from __future__ import annotations

import numpy as np

from fastgrad.arrays import Floats, IndexArray
from fastgrad.vector.claims import Claim
from fastgrad.vector.groups import Groups
from fastgrad.vector.guard import SINGLE, SINGLE_STEP

STEP = 2.0**-17
"""h in units of the parameter: noise is then 2^-35 of a row, and the error of a difference about as much."""

MOST_ENTRIES = 2**20
"""Entries at most: 2^20 take 50 MB while they are compared."""

MOST_OF_A_CLAIM = 4
"""Products at most that a claim is asked for, in units of the evaluations of F."""

ROUNDINGS = 2.0**6
"""Roundings that an output may be off by."""

RIGHT = 1e-6
"""Entries that differ by less than this share of themselves count as right, as in the verdict."""


def full(rows: int, columns: int) -> Groups | None:
    """Each column for itself, with all rows; None where these are too many entries."""
    from scipy import sparse

    if rows * columns > MOST_ENTRIES:
        return None
    indices, indptr = np.tile(np.arange(rows), columns), np.arange(0, rows * columns + 1, rows)
    ones = np.ones(rows * columns, dtype=np.int8)
    return Groups(sparse.csc_array((ones, indices, indptr), (rows, columns)), np.arange(columns))


def suspicious(claim: Claim, groups: Groups) -> list[tuple[int, int]]:
    """Rows and columns of entries that differ from the claim, those that differ most first.

    Parameters
    ----------
    claim : Claim
    groups : the pattern of its entries
    """
    pattern = groups.pattern
    if pattern.nnz > MOST_ENTRIES or (np.diff(pattern.indptr) <= 1).all():
        return []  # a column of one entry was checked as a coordinate
    rows = np.asarray(pattern.indices)
    columns = np.repeat(np.arange(pattern.shape[1]), np.diff(pattern.indptr))
    claimed = claim.on(pattern, MOST_OF_A_CLAIM * (2 * groups.count + 64))
    if claimed is None:
        return []
    slopes, allowed = _differences(claim, groups, rows, columns)
    with np.errstate(all="ignore"):
        allowed = allowed + RIGHT * np.maximum(np.abs(slopes), np.abs(claimed))
        severity = np.abs(slopes - claimed) / allowed
    found = np.flatnonzero(severity > 1)
    worst = found[np.argsort(-severity[found], kind="stable")]
    return [(int(rows[e]), int(columns[e])) for e in worst]


def _differences(
    claim: Claim, groups: Groups, rows: IndexArray, columns: IndexArray
) -> tuple[Floats, Floats]:
    """Central differences (entries,) of all entries of the pattern, and what rounding leaves of each."""
    moved = claim.vector.moved
    h = moved.sizes * (SINGLE_STEP if moved.epsilon > SINGLE else STEP)
    slopes = np.empty(len(rows))
    order = np.argsort(groups.numbers[columns], kind="stable")
    cuts = np.searchsorted(groups.numbers[columns][order], np.arange(groups.count + 1))
    with np.errstate(all="ignore"):
        for group in range(groups.count):
            by = np.where(groups.numbers == group, h, 0.0)
            change = (moved(by) - moved(-by)) / 2
            mine = order[cuts[group] : cuts[group + 1]]
            slopes[mine] = change[rows[mine]] / h[columns[mine]]
        allowed = ROUNDINGS * moved.epsilon * np.abs(moved.outputs.values[rows]) / h[columns]
    return slopes, np.asarray(allowed)
