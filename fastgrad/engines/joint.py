"""The engine that moves some coordinates together, each by a displacement of its own, less found differences.

Notation: J = the cost, x = the parameters, v = displacements of some coordinates, d = slopes found there.

    values[k, s] = J(x + t v) - J(x) - d . (t v)        t = offsets[k, s], v = move number indices[k]

`directions.agreement` asks it whether differences found one by one add up along random directions. For t v it
takes the difference of the rounded x + t v and x, as `DirectionalEngine` does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastgrad.arrays import Floats, IndexArray, Values
from fastgrad.engines.directional import DirectionalEngine, Tangent
from fastgrad.index_sets import as_run
from fastgrad.problem.parameters import Parameters

Place = tuple[int, slice | IndexArray, slice | IndexArray]
"""The number of a block, the positions of its coordinates among all that are moved, and within the block."""


@dataclass(frozen=True, eq=False)
class Move:
    """Displacements of some coordinates, and the slopes found there; each (m,)."""

    indices: IndexArray
    """Increasing flat indices."""
    by: Floats
    slopes: Floats


class JointEngine(DirectionalEngine):
    """Evaluates a cost at points where many coordinates are moved, less what their slopes give.

    Parameters
    ----------
    cost : callable(params, *args) -> float
    parameters : Parameters
    args : what the cost takes beside the parameters
    at_parameters : the cost there
    vectorized : whether the cost takes a batch; it then gets batches of one point
    workers : "threads" for a cost that threads may call side by side
    """

    name = "joint"

    def __init__(
        self,
        cost: Callable[..., Any],
        parameters: Parameters,
        args: tuple[Any, ...],
        at_parameters: float,
        vectorized: bool = False,
        workers: str = "processes",
    ) -> None:
        super().__init__(cost, parameters, args, Tangent(at_parameters, ()), vectorized, workers)
        self.moves: list[Move] = []
        self._placed: tuple[IndexArray, list[Place]] = (np.empty(0, dtype=np.intp), [])

    def take(self, *moves: Move) -> IndexArray:
        """Replace the engine's moves; returns the numbers by which `values` knows the new ones."""
        self.moves = list(moves)
        return np.arange(len(moves), dtype=np.intp)

    def values(self, indices: IndexArray, offsets: Values) -> Values:
        """J(x + t v) - J(x) - d . (t v), shape (m, S); NaN outside the cost's domain."""
        out = np.empty(offsets.shape)
        for k, number in enumerate(indices):
            move = self.moves[int(number)]
            try:
                for s, t in enumerate(offsets[k]):
                    rise = self._displace(move, float(t))
                    out[k, s] = self._call_inside_domain() - self.tangent.cost - rise
            finally:
                self._put_back(move)
        return out

    def _displace(self, move: Move, t: float) -> float:
        """Move the private copy; returns d . (t v)."""
        rise = 0.0
        with np.errstate(all="ignore"):  # a slope of 1e200 overflows: what is left is then NaN
            for number, where, inside in self._places(move.indices):
                x, moved = self.parameters.leaves[number], self.working.flat_leaves[number]
                point = np.asarray(x[inside], dtype=np.float64) + t * move.by[where]
                moved[inside] = point  # rounded to the parameter's dtype
                by = np.subtract(moved[inside], x[inside], out=point, dtype=np.float64)
                rise += float(np.dot(move.slopes[where], by))
        return rise

    def _put_back(self, move: Move) -> None:
        for number, _, inside in self._places(move.indices):
            self.working.flat_leaves[number][inside] = self.parameters.leaves[number][inside]

    def _places(self, indices: IndexArray) -> list[Place]:
        """Where the coordinates of a move are; the moves of one question mostly share them."""
        if self._placed[0] is not indices:
            blocks = self.parameters.blocks
            self._placed = (
                indices,
                [
                    (number, where, as_run(indices[where] - blocks[number].start))
                    for number, where in self.parameters.segments(indices)
                ],
            )
        return self._placed[1]
