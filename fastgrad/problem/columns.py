"""Columns: the structure of a cost w . F(x) where many parameters have no output in common.

`vector` makes one from the pattern of a Jacobian, `engines.columns` evaluates by it: parameters that share no
output are moved together (Curtis, Powell and Reid, "On the estimation of sparse Jacobian matrices", J. Inst.
Math. Appl. 13, 1974).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastgrad.arrays import Floats, IndexArray


@dataclass(frozen=True, eq=False)
class Columns:
    """Which outputs each parameter moves, and groups of parameters that share none.

    Parameters
    ----------
    function : callable(params, *args) -> (m,) the outputs as a flat vector, w times them is added up
    weights : scipy.sparse CSR array (n, m), row i has w_k for the outputs k that parameter i moves
    groups : (n,) the number of each parameter's group; no two of a group move the same output
    sizes : (groups,) how many parameters each group has
    largest : the most that |w_k F_k| of one parameter adds up to, at the parameters
    """

    function: Callable[..., Floats]
    weights: Any
    groups: IndexArray
    sizes: IndexArray
    largest: float

    @property
    def count(self) -> int:
        """How many groups there are."""
        return len(self.sizes)


def group_numbers(pattern: Any) -> IndexArray:
    """(n,) the number of each column's group, of which no two columns share a row; scipy takes them greedily.

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
