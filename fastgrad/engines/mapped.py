"""The engine for parameters that are those of another engine in another order, or some of them.

A library keeps the weight of a linear layer as (outputs, inputs), a fastgrad.Network as (inputs, outputs).
The other engine moves its own parameters; coordinates are renamed on the way in.
"""

from __future__ import annotations

import copy
from typing import Self

import numpy as np

from fastgrad.arrays import Floats, IndexArray, Values
from fastgrad.engines.base import EngineBase
from fastgrad.engines.protocol import Engine, EvaluateAll
from fastgrad.engines.python import PythonEngine


class MappedEngine(EngineBase):
    """Moves the parameters of another engine in the place of the user's.

    Parameters
    ----------
    plain : the engine for the user's cost
    inner : what computes the same cost from parameters of its own
    to_inner : (n,) which of these each of the user's parameters is
    """

    def __init__(self, plain: PythonEngine, inner: Engine, to_inner: IndexArray) -> None:
        super().__init__(plain.cost, plain.parameters, plain.args)
        self.inner, self.to_inner = inner, to_inner
        self.name, self.workers = inner.name, inner.workers
        self.incremental, self.knows_layers = inner.incremental, inner.knows_layers
        self.overhead, self.granularity = inner.overhead, inner.granularity
        self.epsilon, self.preparation = inner.epsilon, inner.preparation
        self.notes = inner.notes
        self.origin = plain.baseline() if inner.origin else 0.0  # the same number by either, but for rounding

    def baseline(self) -> float:
        """The cost at the parameters."""
        return float(self.inner.baseline())

    def values(self, indices: IndexArray, offsets: Values) -> Values:
        """The cost at theta + offsets[k, s] * e_indices[k], less `origin`, shape (m, S)."""
        theirs, order = self._sorted(indices)
        found = np.empty(offsets.shape, dtype=self.dtype)
        found[order] = self.inner.values(theirs, offsets[order])
        return found

    def prepared(self, indices: IndexArray, offsets: Values, evaluate_all: EvaluateAll) -> Self:
        """The same with the other engine prepared."""
        theirs, order = self._sorted(indices)
        inner = self.inner.prepared(theirs, offsets[order], evaluate_all)
        if inner is self.inner:
            return self
        twin = copy.copy(self)
        twin.inner, twin.notes = inner, inner.notes
        return twin

    def prices(self, indices: IndexArray) -> Floats | None:
        """Those of the other engine."""
        return self.inner.prices(self.to_inner[indices])

    def for_worker(self) -> Self:
        """A twin with a twin of the other engine."""
        twin = copy.copy(self)
        twin.inner = self.inner.for_worker()
        return twin

    def release(self) -> None:
        """Free the private copies."""
        super().release()
        self.inner.release()

    def _sorted(self, indices: IndexArray) -> tuple[IndexArray, IndexArray]:
        theirs = self.to_inner[indices]
        order = np.argsort(theirs, kind="stable")
        return theirs[order], order
