"""Whether autograd's gradient is right beyond doubt: the fast way to a yes of gradcheck.

Rows of the Jacobian and outputs at many points are asked for in batches, where vmap can take the function.
"""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np

from fastgrad.adapters.torch.batches import warnings_of_vmap_ignored
from fastgrad.adapters.torch.tensor_function import TensorFunction, like, to_block
from fastgrad.arrays import Floats
from fastgrad.options import Options
from fastgrad.vector.at_once import TOGETHER, is_right
from fastgrad.vector.claims import TransposedProduct
from fastgrad.vector.projection import VectorProblem


def is_right_at_once(function: TensorFunction, seed: int) -> bool:
    """Whether all derivatives that autograd gives are seen to be right.

    Parameters
    ----------
    function : in double precision
    seed : of random choices
    """
    vector = VectorProblem(function, function.at, (), Options(seed=seed))
    return is_right(_Rows(function.vjp, vector), _Outputs(vector))


class _Rows(TransposedProduct):
    """The products of a function, many at a time where all rows are wanted."""

    def on(self, pattern: Any, most: int) -> Floats | None:
        """The entries of J on a pattern."""
        m, n = pattern.shape
        if pattern.nnz == m * n and m > 1:
            with contextlib.suppress(RuntimeError):  # vmap has no rule for a backward pass
                rows = [_rows(self.vector, start) for start in range(0, m, TOGETHER)]
                return np.asarray(np.concatenate(rows).T.reshape(-1))
        return super().on(pattern, most)


def _rows(vector: VectorProblem, start: int) -> Floats:
    """(up to TOGETHER, n) rows of J from one on."""
    import torch

    function: Any = vector.function
    tensors, outputs = function.graph_at(function.at)
    some = np.eye(vector.outputs.size)[start : start + TOGETHER]
    blocks = [block for block in vector.outputs.blocks if block.name in outputs]
    pieces = [some[:, block.start : block.stop].reshape(len(some), *block.shape) for block in blocks]
    upstream = [like(u, outputs[block.name], len(some)) for u, block in zip(pieces, blocks, strict=True)]
    with warnings_of_vmap_ignored():
        found = torch.autograd.grad(
            list(outputs.values()), tensors, upstream, True, False, allow_unused=True, is_grads_batched=True
        )
    sizes = [function.at[slot.name].size for slot in function.slots]
    columns = [
        np.zeros((len(some), size)) if g is None else to_block(g).reshape(len(some), size)
        for size, g in zip(sizes, found, strict=True)
    ]
    return np.concatenate(columns, axis=1)


class _Outputs:
    """The outputs at many points, in one call where vmap can take the function."""

    def __init__(self, vector: VectorProblem) -> None:
        self.vector = vector
        self.is_batched = True

    def __call__(self, by: Floats) -> Floats:
        """F (k, m) at displacements (k, n)."""
        if self.is_batched and len(by) > 1:
            try:
                return self._in_one_call(by)
            except RuntimeError:  # vmap has no rule for something, or a branch depends on numbers
                self.is_batched = False
        return np.array([self.vector.moved(one) for one in by])

    def _in_one_call(self, by: Floats) -> Floats:
        import torch

        function: Any = self.vector.function
        tensors = []
        for slot, block in zip(function.slots, self.vector.parameters.blocks, strict=True):
            moved = function.at[slot.name] + by[:, block.start : block.stop].reshape(len(by), *block.shape)
            tensors.append(like(moved, slot.tensor, len(by)))
        taken: list[str] = []

        def one(*given: Any) -> tuple[Any, ...]:
            found = function.outputs(list(given))
            taken[:] = found
            return tuple(found.values())

        with warnings_of_vmap_ignored():
            found = torch.func.vmap(one, randomness="same")(*tensors)
        blocks = dict(zip(taken, map(to_block, found), strict=True))
        flat = [blocks[block.name].reshape(len(by), -1) for block in self.vector.outputs.blocks]
        return np.concatenate(flat, axis=1)
