"""The engine that moves many coordinates at once, along random directions.

Notation: J = the cost, x = the parameters, g = the claimed gradient, v = a direction, t = a displacement.

    values[k, s] = J(x + t v) - J(x) - g . (t v)        t = offsets[k, s], v = direction number indices[k]

The derivative of this by t at 0 is v . (true gradient - g). `directions` gives the engine some directions and
asks for values (m, S). For t v the engine takes the difference of the rounded x + t v and x, so that the
rounding of the parameters causes no error.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fastgrad.arrays import FloatArray, IndexArray, Values
from fastgrad.engines.base import EngineBase, require_unchanged
from fastgrad.engines.numbers import epsilon_of, to_number
from fastgrad.engines.protocol import Engine
from fastgrad.problem.kinds.registry import to_array
from fastgrad.problem.parameters import Parameters
from fastgrad.problem.regions import Region
from fastgrad.problem.working_copy import WorkingCopy


def no_indices() -> IndexArray:
    """No coordinates."""
    return np.empty(0, dtype=np.intp)


@dataclass(frozen=True, eq=False)
class Direction:
    """v_i = block_size * (component i of the seed) for the coordinates of a region, 0 elsewhere.

    With `ruler` the component of coordinate number p of P in the region is multiplied by 2 (p + 1/2) / P - 1.
    Where only one coordinate is wrong, the ratio of the two derivatives, with and without it, gives p.
    """

    seed: int
    region: Region
    without: IndexArray = field(default_factory=no_indices)  # flat indices of the region that do not move
    ruler: bool = False


@dataclass(frozen=True, eq=False)
class Tangent:
    """The cost near the parameters x as a claimed gradient g has it: J(x) + g . (y - x)."""

    cost: float  # J(x)
    gradient: Sequence[FloatArray]  # g, a flat array for each block


class DirectionalEngine(EngineBase):
    """Evaluates a cost along directions, less the tangent that the claimed gradient gives.

    Parameters
    ----------
    cost : callable(params, *args) -> float
    parameters : Parameters
    args : what the cost takes beside the parameters
    tangent : Tangent
    vectorized : whether the cost takes a batch; it then gets batches of one point
    workers : "threads" for a cost that threads may call side by side
    """

    name = "directional"

    def __init__(
        self,
        cost: Callable[..., Any],
        parameters: Parameters,
        args: tuple[Any, ...],
        tangent: Tangent,
        vectorized: bool = False,
        workers: str = "processes",
    ) -> None:
        super().__init__(cost, parameters, args)
        self.tangent = tangent
        self.vectorized = vectorized
        self.workers = workers
        self.sizes = [block_size(typical) for typical in parameters.typical_sizes]
        self.directions: list[Direction] = []
        self._lender: EngineBase | None = None

    def __getstate__(self) -> dict[str, Any]:
        """The engine without its private copy, be it its own or another engine's."""
        return super().__getstate__() | {"_lender": None}

    def borrow(self, engine: Engine) -> None:
        """Use the private copy of an engine of the same parameters, which must not evaluate meanwhile."""
        same = engine.space.is_plain and engine.parameters is self.parameters
        if same and engine.dtype is np.float64 and isinstance(engine, EngineBase):
            self._lender = engine

    @property
    def working(self) -> WorkingCopy:
        """The private copy: the lender's if there is a lender, so that a large vector is copied only once."""
        return super().working if self._lender is None else self._lender.working

    def release(self) -> None:
        """Free the private copy of the parameters."""
        super().release()
        if self._lender is not None:
            self._lender.release()

    def add(self, *directions: Direction) -> IndexArray:
        """Replace the engine's directions; returns the numbers by which `values` knows the new ones."""
        self.directions = list(directions)
        return np.arange(len(directions), dtype=np.intp)

    def baseline(self) -> float:
        """J(x) - J(x): zero for a cost that returns the same value twice."""
        value = self._call()
        require_unchanged(self.working)
        return value - self.tangent.cost

    def values(self, indices: IndexArray, offsets: Values) -> Values:
        """J(x + t v) - J(x) - g . (t v), shape (m, S); NaN outside the cost's domain."""
        out = np.empty(offsets.shape)
        for k, number in enumerate(indices):
            direction = self.directions[int(number)]
            try:
                for s, t in enumerate(offsets[k]):
                    rise = self._move(direction, float(t))
                    out[k, s] = self._call_inside_domain() - self.tangent.cost - rise
            finally:
                self._restore(direction)
        return out

    def _call_inside_domain(self) -> float:
        try:
            return self._call()
        except Exception as error:
            if not self._left_domain(error):
                error.add_note("fastgrad: while evaluating the cost along a random direction")
                raise
            return float("nan")

    def _call(self) -> float:
        if self.vectorized:
            shaped = self.parameters.shaped(self.working.flat_leaves)
            batch = self.parameters.build([leaf[None] for leaf in shaped])
            value = to_array(self.cost(batch, *self.args), "the cost")[0]
        else:
            value = self.cost(self.working.structure, *self.args)
        number = to_number(value)
        self.epsilon = epsilon_of(value)
        return number

    def _move(self, direction: Direction, t: float) -> float:
        """Move the private copy to x + t v; returns g . (t v)."""
        from fastgrad.kernels.directions import STRIP, move

        seed, (products, v), rise, first = np.uint64(direction.seed), np.empty((2, STRIP)), 0.0, 0
        slope = 2.0 / direction.region.size if direction.ruler else 0.0
        for r in direction.region.rectangles:
            x, g, moved = self._leaves(r.block)
            for start, stop in r.stretches():
                weight = slope * (first + 0.5) - 1.0 if direction.ruler else 1.0
                there = slice(start, stop)
                rise += move(
                    moved[there], x[there], g[there], r.start + start, seed,
                    t * self.sizes[r.block], weight, slope, products, v,
                )  # fmt: skip
                first += stop - start
        return rise - self._restore_excluded(direction)

    def _restore_excluded(self, direction: Direction) -> float:
        """Restore the coordinates that do not move; returns their part of g . (t v)."""
        fall = 0.0
        for number, where in self.parameters.segments(direction.without):
            x, g, moved = self._leaves(number)
            inside = direction.without[where] - self.parameters.blocks[number].start
            by = moved[inside].astype(np.float64) - x[inside]
            fall += float(np.dot(np.nan_to_num(g[inside].astype(np.float64)), by))
            moved[inside] = x[inside]
        return fall

    def _restore(self, direction: Direction) -> None:
        for r in direction.region.rectangles:
            x, _, moved = self._leaves(r.block)
            for start, stop in r.stretches():
                moved[start:stop] = x[start:stop]

    def _leaves(self, block: int) -> tuple[FloatArray, FloatArray, FloatArray]:
        """x, g and the private copy of one block, each a flat array."""
        return self.parameters.leaves[block], self.tangent.gradient[block], self.working.flat_leaves[block]


def block_size(typical: float) -> float:
    """The factor of a block's components: its typical size, rounded down to a power of two."""
    return float(2.0 ** np.floor(np.log2(typical)))


def component_at(engine: DirectionalEngine, direction: Direction, index: int) -> float:
    """v_i at a flat index of the direction's region, as if `ruler` were False."""
    from fastgrad.kernels.directions import components

    number = int(engine.parameters.block_numbers(np.asarray([index]))[0])
    return float(components(direction.seed, np.asarray([index]))[0]) * engine.sizes[number]
