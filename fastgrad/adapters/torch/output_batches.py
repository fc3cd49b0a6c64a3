"""Many values of single entries of one input of a function, under torch.func.vmap.

The cost is a random combination of the function's outputs (fastgrad.vector): the outputs of all points come
out of one call, and are combined for each.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fastgrad.adapters.torch.batches import batch_of, warnings_of_vmap_ignored
from fastgrad.adapters.torch.tensor_function import TensorFunction
from fastgrad.adapters.torch.ways import LARGEST, ROWS, engine_of_batches
from fastgrad.arrays import Floats, IndexArray
from fastgrad.engines.by_block import Batch
from fastgrad.engines.protocol import Engine
from fastgrad.engines.python import PythonEngine
from fastgrad.vector.combination import Combination


def outputs_way(plain: PythonEngine) -> Engine | None:
    """The engine that batches each input where that is faster; None where it is for none.

    Parameters
    ----------
    plain : the engine for a Combination of the outputs of a TensorFunction
    """
    cost: Any = plain.cost
    if not isinstance(cost, Combination) or not isinstance(cost.function, TensorFunction):
        return None
    numbers = cost.outputs.size

    def candidates(number: int) -> Iterator[Batch]:
        for rows in ROWS:
            if rows * 8 * max(numbers, plain.parameters.blocks[number].size) <= LARGEST:
                yield OutputsBatch(cost, number, rows)

    return engine_of_batches(plain, candidates)


@dataclass(frozen=True, eq=False)
class OutputsBatch:
    """Evaluates a combination of outputs for many values of single entries of one input.

    Parameters
    ----------
    cost : Combination of the outputs of a TensorFunction
    number : of the slot
    rows : points at a time
    """

    cost: Combination
    number: int
    rows: int

    def __call__(self, structure: Any, inside: IndexArray, points: Floats) -> Floats:
        """The costs (k,) with entry inside[k] at points[k]."""
        import torch

        function: Any = self.cost.function
        tensors = function.tensors(structure)
        moved = batch_of(function.slots[self.number], tensors[self.number], inside, points)
        taken: list[str] = []

        def one(value: Any) -> tuple[Any, ...]:
            given = [*tensors[: self.number], value, *tensors[self.number + 1 :]]
            found = function.outputs(given)
            taken[:] = found
            return tuple(found.values())

        with warnings_of_vmap_ignored():
            found = torch.func.vmap(one, randomness="same")(moved)
        return self._combined(dict(zip(taken, found, strict=True)), len(points))

    def of(self, cost: Combination) -> OutputsBatch:
        """The same for the cost of another worker."""
        return replace(self, cost=cost)

    def _combined(self, outputs: dict[str, Any], count: int) -> Floats:
        """w . F for each point."""
        import torch

        total = np.zeros(count)
        for block in self.cost.outputs.blocks:
            y = outputs[block.name].detach()
            y = torch.view_as_real(y.resolve_conj()) if y.is_complex() else y
            numbers = y.reshape(count, -1).double().cpu().numpy()
            total += numbers @ self.cost.weights[block.start : block.stop]
        return total
