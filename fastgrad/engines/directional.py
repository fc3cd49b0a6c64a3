"""The engine that moves many coordinates at once, along directions that are seeds.

values(which, t)[k, s] = J(x + t v) - J(x) - g . (t v) for the direction v number which[k] of those it was
given, t = t[k, s]: the cost less what the claimed gradient says of it. Its derivative at 0 is v . (true - g).
The displacements are those that floating point makes of t v, so that no rounding of the parameters counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from fastgrad.arrays import IndexArray, Values
from fastgrad.engines.base import EngineBase, require_unchanged
from fastgrad.engines.numbers import epsilon_of, to_number
from fastgrad.problem.parameters import Parameters
from fastgrad.problem.regions import Region
from fastgrad.problem.working_copy import WorkingCopy


def no_indices() -> IndexArray:
    """No coordinates."""
    return np.empty(0, dtype=np.intp)


@dataclass(frozen=True, eq=False)
class Direction:
    """v_i = size of the block * component(seed, i) for the coordinates of a region, 0 elsewhere.

    With `ruler` coordinate number p of P in the region is multiplied by 2 (p + 1/2) / P - 1, so that where
    only one of them is wrong the ratio of the two derivatives tells which.
    """

    seed: int
    region: Region
    without: IndexArray = field(default_factory=no_indices)  # flat indices that stay where they are
    ruler: bool = False


class DirectionalEngine(EngineBase):
    """Evaluates a cost along directions.

    Parameters
    ----------
    cost : callable(params, *args) -> float
    parameters : Parameters
    args : what the cost takes beside the parameters
    gradient : the claimed gradient, a flat array for each block
    at : the cost at the parameters
    vectorized : whether the cost takes a batch: it is given one of a single point
    workers : "threads" for a cost that is safe in them
    """

    name = "directional"

    def __init__(
        self,
        cost: Any,
        parameters: Parameters,
        args: tuple[Any, ...],
        gradient: Sequence[npt.NDArray[Any]],
        at: float,
        vectorized: bool = False,
        workers: str = "processes",
    ) -> None:
        super().__init__(cost, parameters, args)
        self.gradient = list(gradient)
        self.at = at
        self.vectorized = vectorized
        self.workers = workers
        self.sizes = [block_size(typical) for typical in parameters.typical_sizes]
        self.directions: list[Direction] = []
        self._lender: EngineBase | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Leave the lender behind as well: a worker has a copy of its own."""
        return super().__getstate__() | {"_lender": None}

    def borrow(self, engine: Any) -> None:
        """Move the private copy of another engine of the same parameters, which is at rest meanwhile."""
        same = engine.space.is_plain and engine.parameters is self.parameters
        if same and engine.dtype is np.float64 and isinstance(engine, EngineBase):
            self._lender = engine

    @property
    def working(self) -> WorkingCopy:
        """The private copy: the lender's where there is one, so that a large vector is copied once."""
        return super().working if self._lender is None else self._lender.working

    def release(self) -> None:
        """Give the private copy of the parameters back."""
        super().release()
        if self._lender is not None:
            self._lender.release()

    def add(self, *directions: Direction) -> IndexArray:
        """The numbers under which some directions can be asked for; those of before are forgotten."""
        self.directions = list(directions)
        return np.arange(len(directions), dtype=np.intp)

    def baseline(self) -> float:
        """The cost at the parameters less itself."""
        value = self._call()
        require_unchanged(self.working)
        return value - self.at

    def values(self, indices: IndexArray, offsets: Values) -> Values:
        """J(x + t v) - J(x) - g . (t v), shape (m, S); NaN outside the cost's domain."""
        out = np.empty(offsets.shape)
        for k, number in enumerate(indices):
            direction = self.directions[int(number)]
            try:
                for s, t in enumerate(offsets[k]):
                    rise = self._move(direction, float(t))
                    out[k, s] = self._call_inside_domain() - self.at - rise
            finally:
                self._restore(direction)
        return out

    def for_worker(self) -> DirectionalEngine:
        """A twin with parameters, and where it says how, a cost of its own."""
        own = (self._worker_cost(), self.parameters, self.args, self.gradient, self.at)
        twin = DirectionalEngine(*own, self.vectorized, self.workers)
        twin.directions = self.directions
        return twin

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
            value = np.asarray(self.cost(batch, *self.args))[0]
        else:
            value = self.cost(self.working.structure, *self.args)
        number = to_number(value)
        self.epsilon = epsilon_of(value)
        return float(number)

    def _move(self, direction: Direction, t: float) -> float:
        """Bring the private copy to x + t v; what the claimed gradient says the cost rises by."""
        from fastgrad.kernels.directions import LANES, move

        seed, (products, v), rise, first = np.uint64(direction.seed), np.empty((2, LANES)), 0.0, 0
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
        return rise - self._stay(direction)

    def _stay(self, direction: Direction) -> float:
        """Put the excluded coordinates back; what their move was said to raise the cost by."""
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

    def _leaves(self, block: int) -> tuple[Any, Any, Any]:
        return self.parameters.leaves[block], self.gradient[block], self.working.flat_leaves[block]


def block_size(typical: float) -> float:
    """The size of a block's components: its typical size, rounded down to a power of two."""
    return float(2.0 ** np.floor(np.log2(typical)))


def component_at(engine: DirectionalEngine, direction: Direction, index: int) -> float:
    """v_i at a flat index of the direction's region, without its ruler."""
    from fastgrad.kernels.directions import components

    number = int(engine.parameters.block_numbers(np.asarray([index]))[0])
    return float(components(direction.seed, np.asarray([index]))[0]) * engine.sizes[number]
