"""The engine for a cost that takes many values of one entry at a time, block by block.

A library may evaluate a cost for many values of one block while all other blocks stay, and compute what does
not depend on that block once. What does so for a block is a `Batch`. Blocks without one are evaluated by the
plain engine, one point after the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, Self

import numpy as np

from fastgrad.arrays import Floats, IndexArray, Values
from fastgrad.engines.numbers import DOMAIN_ERRORS
from fastgrad.engines.python import PythonEngine


class Batch(Protocol):
    """Evaluates the cost for many values of single entries of one block."""

    @property
    def rows(self) -> int:
        """The number of points that it takes at a time, a power of two."""

    def __call__(self, structure: Any, inside: IndexArray, points: Floats) -> Floats:
        """The costs (k,) with entry inside[k] of the block at points[k], all else as in `structure`."""


class ByBlockEngine(PythonEngine):
    """Evaluates blocks that have a batch by it, and the others plainly.

    Batches are cut at the same places of a plan wherever it is cut into chunks.

    Parameters
    ----------
    plain : the engine for the cost itself
    batches : by the number of the block
    name : what the report calls the engine
    seconds_each : that an evaluation takes, on the average over all parameters
    """

    def __init__(
        self, plain: PythonEngine, batches: Mapping[int, Batch], name: str, seconds_each: float
    ) -> None:
        super().__init__(plain.cost, plain.parameters, plain.args)
        self.epsilon = plain.epsilon
        self.batches = dict(batches)
        self.name, self.seconds_each = name, seconds_each
        self.granularity = max((batch.rows for batch in self.batches.values()), default=1)

    def values(self, indices: IndexArray, offsets: Values) -> Values:
        """The cost at theta + offsets[k, s] * e_indices[k], shape (m, S)."""
        out = np.empty(offsets.shape, dtype=self.dtype)
        for number, where in self.parameters.segments(indices):
            batch = self.batches.get(number)
            at = np.arange(len(indices))[where]
            if batch is None:
                out[at] = super().values(indices[at], offsets[at])
                continue
            each = max(1, batch.rows // offsets.shape[1])
            for some in np.split(at, np.flatnonzero(np.diff(at // each)) + 1):
                out[some] = self._by_batch(batch, number, indices[some], offsets[some])
        return out

    def for_worker(self) -> Self:
        """A twin with a cost and batches of its own."""
        twin = super().for_worker()
        twin.batches = {number: _of(batch, twin.cost) for number, batch in self.batches.items()}
        return twin

    def _by_batch(self, batch: Batch, number: int, indices: IndexArray, offsets: Values) -> Values:
        """The values of a few coordinates of one block; where a batch raises, those of each point alone."""
        leaf, start = self.working.flat_leaves[number], self.parameters.blocks[number].start
        inside = indices - start
        points = (leaf[inside].astype(np.float64)[:, None] + offsets).astype(leaf.dtype)
        every = np.repeat(inside, offsets.shape[1])
        try:
            found = batch(self.working.structure, every, points.reshape(-1).astype(np.float64, copy=False))
        except (*DOMAIN_ERRORS, RuntimeError):  # a branch that another point takes, or outside the domain
            return super().values(indices, offsets)
        return np.asarray(found, dtype=self.dtype).reshape(offsets.shape)


def _of(batch: Any, cost: Any) -> Any:
    """The batch for the cost of another worker."""
    return batch.of(cost) if hasattr(batch, "of") else batch
