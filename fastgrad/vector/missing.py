"""Where F has a derivative outside a pattern, by halving the columns.

Rows that were seen to depend on more than their pattern are watched while half of the other columns are
moved, then half of these, and so on. Each watched row answers by itself, so that all are found in one search.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fastgrad.arrays import Bools, IndexArray
from fastgrad.vector.function import MovedFunction
from fastgrad.vector.guard import BY_CHANCE, SINGLE, SINGLE_STEP, STEP

MOST_ROWS = 64
"""Rows that are looked into at most: more say that the pattern is another one, not that few entries lack."""

MOST_EVALUATIONS = 1000
"""Evaluations at most: 16 missing entries among 10^5 columns take about 600."""


def missing_entries(pattern: Any, moved: MovedFunction, rows: IndexArray) -> list[tuple[int, int]] | None:
    """The rows and columns of derivatives outside a pattern; None where there are too many to look for.

    Parameters
    ----------
    pattern : scipy.sparse CSC (m, n)
    moved : F at moved parameters
    rows : the outputs that depend on parameters outside of their pattern
    """
    if len(rows) > MOST_ROWS:
        return None
    search = _Search(pattern, moved, rows)
    return search.found if search.all() else None


class _Search:
    """A search among columns; `own` are the columns that the pattern gives to each watched row."""

    def __init__(self, pattern: Any, moved: MovedFunction, rows: IndexArray) -> None:
        self.moved, self.rows = moved, rows
        self.found: list[tuple[int, int]] = []
        self.evaluations = 0
        step = SINGLE_STEP if moved.epsilon > SINGLE else STEP
        rng = np.random.default_rng(0)  # no two moves are alike, lest changes cancel
        factors = rng.choice([-1.0, 1.0], len(moved.sizes)) * rng.uniform(0.5, 1.5, len(moved.sizes))
        self.by = step * moved.sizes * factors
        by_row = pattern.tocsr()
        self.own = [by_row.indices[by_row.indptr[k] : by_row.indptr[k + 1]] for k in rows]
        self.least = BY_CHANCE * moved.epsilon * np.abs(moved.outputs.values[rows])

    def all(self) -> bool:
        """Look among all columns; False where that takes too long."""
        shared = np.unique(np.concatenate(self.own))
        rest = np.setdiff1d(np.arange(len(self.by)), shared)
        everyone = np.ones(len(self.rows), dtype=bool)
        singly = (self._among(shared[k : k + 1], everyone) for k in range(len(shared)))
        return self._among(rest, everyone) and all(singly)

    def _among(self, columns: IndexArray, watched: Bools) -> bool:
        """Look for what watched rows depend on among some columns; False where that takes too long."""
        if not len(columns) or not watched.any():
            return True
        if self.evaluations >= MOST_EVALUATIONS:
            return False
        answer = watched & self._depend(columns)
        if len(columns) == 1:
            hit = [k for k in np.flatnonzero(answer) if columns[0] not in self.own[k]]
            self.found += [(int(self.rows[k]), int(columns[0])) for k in hit]
            return True
        half = len(columns) // 2
        return self._among(columns[:half], answer) and self._among(columns[half:], answer)

    def _depend(self, columns: IndexArray) -> Bools:
        """(rows,) which watched rows change where some columns are moved."""
        by = np.zeros(len(self.by))
        by[columns] = self.by[columns]
        self.evaluations += 1
        with np.errstate(invalid="ignore"):
            change = np.abs(self.moved(by)[self.rows] - self.moved.outputs.values[self.rows])
            return ~(change <= self.least)


def extended(pattern: Any, entries: list[tuple[int, int]]) -> Any:
    """A pattern with some more entries.

    Parameters
    ----------
    pattern : scipy.sparse CSC (m, n)
    entries : rows and columns
    """
    from scipy import sparse

    rows, columns = np.array(entries, dtype=np.intp).T
    more = sparse.coo_array((np.ones(len(rows), dtype=np.int8), (rows, columns)), pattern.shape)
    ones = np.ones(pattern.nnz, dtype=np.int8)
    before = sparse.csc_array((ones, pattern.indices, pattern.indptr), pattern.shape)
    return sparse.csc_array((before + more.tocsc()) > 0)
