"""Groups of columns that share no row: one evaluation of F serves all columns of a group."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from fastgrad.arrays import Floats, IndexArray
from fastgrad.problem.columns import group_numbers

WORTH_IT = 0.5
"""Groups are used where there are fewer than this share of the columns."""

LARGEST_PATTERN = 2**24
"""Entries of a pattern at most: each takes 12 bytes here, and as many in the engine."""


@dataclass(frozen=True, eq=False)
class Groups:
    """A pattern, and its columns in groups.

    Examples
    --------
    >>> from scipy import sparse
    >>> groups = Groups.of(sparse.csc_array(np.eye(4) + np.eye(4, k=1)))
    >>> groups.numbers.tolist(), groups.count
    ([0, 1, 0, 1], 2)
    """

    pattern: Any
    """scipy.sparse CSC (m, n), with an entry wherever J may be other than 0."""
    numbers: IndexArray
    """(n,) the number of each column's group."""

    @classmethod
    def of(cls, pattern: Any) -> Groups | None:
        """Groups of a pattern; None where they are not worth it."""
        if pattern.nnz > LARGEST_PATTERN or pattern.shape[1] < 2:
            return None
        ones = np.ones(pattern.nnz, dtype=np.int8)
        plain = type(pattern)((ones, pattern.indices, pattern.indptr), pattern.shape)
        numbers = group_numbers(plain)
        return cls(plain, numbers) if numbers.max() + 1 <= WORTH_IT * len(numbers) else None

    @property
    def count(self) -> int:
        """How many groups there are."""
        return int(self.numbers.max()) + 1

    def weighted(self, weights: Floats) -> Any:
        """scipy.sparse CSR (n, m): in row i the weights of the outputs that parameter i moves."""
        from scipy import sparse

        p = self.pattern
        return sparse.csr_array((weights[p.indices], p.indices, p.indptr), p.shape[::-1])
