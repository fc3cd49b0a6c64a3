"""Columns: the structure of a cost w . F(x) where many parameters have no output in common.

`vector` makes one from the pattern of a Jacobian, `engines.columns` evaluates by it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

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
