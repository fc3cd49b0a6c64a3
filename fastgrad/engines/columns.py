"""The engine for w . F(x) where many parameters have no output in common: it moves all of a group at once.

Notation: F = the function, x = the parameters, R_i = the outputs that parameter i moves, w = their weights.

    values[k, s] = s0 + sum over R_i of w (F(x + moves of the group) - F(x))        i = indices[k]

Other parameters of a group move outputs outside R_i alone, so that the sum is what moving i alone changes:
one evaluation of F serves all of a group. s0 is of the size of the sums: values then round as they do.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fastgrad.arrays import Floats, IndexArray, Values
from fastgrad.engines.base import EngineBase, require_unchanged
from fastgrad.engines.numbers import epsilon_of_cost
from fastgrad.index_sets import as_run
from fastgrad.problem.columns import Columns, group_numbers
from fastgrad.problem.parameters import Parameters

FEW = 16
"""Where so many times fewer parameters are moved than there are, they are grouped anew: a thousandth of 10^5
in three groups were in one."""


class ColumnsEngine(EngineBase):
    """Calls F once for each group and point.

    Parameters
    ----------
    cost : callable(params, *args) -> float, w . F
    parameters : Parameters
    args : what F takes beside the parameters
    columns : Columns
    function : F, which takes plain arrays, -> (m,)
    """

    name = "columns"
    workers = "one"
    incremental = True
    moves_together = True
    points_of_baseline = 2

    def __init__(
        self,
        cost: Callable[..., Any],
        parameters: Parameters,
        args: tuple[Any, ...],
        columns: Columns,
        function: Callable[..., Floats],
    ) -> None:
        super().__init__(cost, parameters, args)
        self.columns, self.function = columns, function
        self.granularity = parameters.size  # one call of `values` moves whole groups
        self.notes = (
            f"the {parameters.size} parameters fall into {columns.count} groups of which no two have an "
            "output in common: those of a group were moved together, by one call of the function",
        )
        self._of_group: dict[int, Any] = {}
        self._at_parameters = np.empty(0)

    def baseline(self) -> float:
        """w . F(x)."""
        self._at_parameters = self._call()
        cost = float(self.cost(self.working.structure, *self.args))
        require_unchanged(self.working)
        self.origin = cost - self.columns.largest
        self.epsilon = epsilon_of_cost(self.cost, cost)
        return cost

    def values(self, indices: IndexArray, offsets: Values) -> Values:
        """The cost at theta + offsets[k, s] * e_indices[k], less `origin`; shape (m, S)."""
        out = np.empty(offsets.shape)
        twice = bool((indices[1:] == indices[:-1]).any())  # one parameter at several offsets
        few = twice or len(indices) * FEW <= self.parameters.size
        groups = self._groups_of_few(indices) if few else self.columns.groups[indices]
        order = np.argsort(groups, kind="stable")
        for some in np.split(order, np.flatnonzero(np.diff(groups[order])) + 1):
            mine = indices[some]
            weights = self.columns.weights[mine] if few else self._weights(int(groups[some[0]]), mine)
            for s in range(offsets.shape[1]):
                out[some, s] = self._moved(indices[some], offsets[some, s], weights)
        return out

    def _groups_of_few(self, indices: IndexArray) -> IndexArray:
        """(m,) groups of some parameters alone: few share an output, so that one or two groups will do."""
        return group_numbers(self.columns.weights[indices].T.tocsc())

    def _weights(self, group: int, indices: IndexArray) -> Any:
        """The rows of the weights for parameters of a group; for all of the group they are kept."""
        if len(indices) < self.columns.sizes[group]:
            return self.columns.weights[indices]
        if group not in self._of_group:
            self._of_group[group] = self.columns.weights[indices]
        return self._of_group[group]

    def _moved(self, indices: IndexArray, offsets: Floats, weights: Any) -> Floats:
        """The values where parameters of one group are moved together; one by one where F raises."""
        try:
            changes = self._changes(indices, offsets)
        except Exception as error:
            if not self._left_domain(error):
                error.add_note("fastgrad: while evaluating the function where several parameters are moved")
                raise
            if len(indices) == 1:
                return np.full(1, np.nan)
            single = (slice(k, k + 1) for k in range(len(indices)))
            return np.concatenate([self._moved(indices[k], offsets[k], weights[k]) for k in single])
        with np.errstate(all="ignore"):
            return np.asarray(weights @ changes) + self.columns.largest

    def _changes(self, indices: IndexArray, offsets: Floats) -> Floats:
        """(m,) by how much F changes where some parameters are moved."""
        parameters, leaves = self.parameters, self.working.flat_leaves
        segments = list(parameters.segments(indices))
        try:
            for number, where in segments:
                inside = as_run(indices[where] - parameters.blocks[number].start)
                leaves[number][inside] = parameters.leaves[number][inside] + offsets[where]
            return self._call() - self._at_parameters
        finally:
            for number, where in segments:
                inside = as_run(indices[where] - parameters.blocks[number].start)
                leaves[number][inside] = parameters.leaves[number][inside]

    def _call(self) -> Floats:
        with np.errstate(all="ignore"):
            return self.function(self.working.structure, *self.args)
