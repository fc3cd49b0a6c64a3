"""Groups of columns that share no row: one evaluation of F serves all columns of a group.

Curtis, Powell and Reid, "On the estimation of sparse Jacobian matrices", J. Inst. Math. Appl. 13 (1974). The
groups are those of scipy, which takes columns greedily.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from fastgrad.arrays import Floats, IndexArray

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


def group_numbers(pattern: Any) -> IndexArray:
    """(n,) the number of each column's group, of which no two columns share a row.

    Parameters
    ----------
    pattern : scipy.sparse CSC (m, n)

    Examples
    --------
    >>> from scipy import sparse
    >>> group_numbers(sparse.csc_array(np.ones((1, 3)))).tolist()
    [0, 1, 2]
    """
    from scipy.optimize._numdiff import group_columns

    m, n = pattern.shape
    if pattern.nnz == m * n:  # each column has all rows
        return np.arange(n)
    return np.asarray(group_columns(pattern, np.arange(n)), dtype=np.intp)
