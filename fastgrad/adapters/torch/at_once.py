"""Whether autograd's gradient is right beyond doubt: the fast way to a yes of gradcheck.

Rows of the Jacobian and outputs at many points are asked for in batches, where vmap can take the function.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from fastgrad.adapters.torch.batches import warnings_of_vmap_ignored
from fastgrad.adapters.torch.tensor_function import TensorFunction, like, to_block
from fastgrad.arrays import Floats
from fastgrad.engines.numbers import DOMAIN_ERRORS
from fastgrad.options import Options
from fastgrad.vector.at_once import TOGETHER, is_right
from fastgrad.vector.claims import TransposedProduct
from fastgrad.vector.projection import VectorProblem

SAME = 2.0**-40
"""How near two products of an elementwise function are to each other, each over its factor."""


def is_right_at_once(function: TensorFunction, seed: int) -> bool:
    """Whether all derivatives that autograd gives are seen to be right.

    Parameters
    ----------
    function : in double precision
    seed : of random choices
    """
    vector = VectorProblem(function, function.at, (), Options(seed=seed))
    try:
        return is_right(_Rows(function.vjp, vector), _Outputs(vector))
    except (*DOMAIN_ERRORS, RuntimeError):  # a point outside of the domain
        return False


class _Rows(TransposedProduct):
    """The products of a function, many at a time where all rows are wanted."""

    def pattern(self) -> Any:
        """That of an elementwise function by two products; of others as they are told apart."""
        parameters, outputs = self.vector.parameters, self.vector.outputs
        shapes = [block.shape for block in (*parameters.blocks, *outputs.blocks)]
        if len(shapes) == 2 and shapes[0] == shapes[1] and self._acts_elementwise():
            from scipy import sparse

            return sparse.eye_array(outputs.size, dtype=np.int8, format="csc")
        return super().pattern()

    def on(self, pattern: Any, most: int) -> Floats | None:
        """The entries of J on a pattern."""
        m, n = pattern.shape
        if pattern.nnz < m * n:
            return super().on(pattern, most)
        rows = [_rows(self.vector, start) for start in range(0, m, TOGETHER)]
        return np.asarray(np.concatenate(rows).T.reshape(-1))

    def _acts_elementwise(self) -> bool:
        """Whether J^T u is the same multiple of u, entry by entry, for two random u."""
        rng, m = np.random.default_rng(self.vector.options.seed), self.vector.outputs.size
        u, v = rng.uniform(1, 2, (2, m))
        first, second = self.product(u) / u, self.product(v) / v
        return bool((np.abs(first - second) <= SAME * np.abs(first)).all())


def _rows(vector: VectorProblem, start: int) -> Floats:
    """(up to TOGETHER, n) rows of J from one on."""
    import torch

    function: Any = vector.function
    tensors, outputs = function.graph_at(function.at)
    some = np.eye(vector.outputs.size)[start : start + TOGETHER]
    blocks = [block for block in vector.outputs.blocks if block.name in outputs]
    pieces = [some[:, block.start : block.stop].reshape(len(some), *block.shape) for block in blocks]
    upstream = [like(u, outputs[block.name], len(some)) for u, block in zip(pieces, blocks, strict=True)]
    grad = functools.partial(torch.autograd.grad, list(outputs.values()), tensors, retain_graph=True)
    try:
        with warnings_of_vmap_ignored():
            found = grad(upstream, allow_unused=True, is_grads_batched=True)
    except RuntimeError:  # vmap has no rule for a backward pass
        each = [grad([u[k] for u in upstream], allow_unused=True) for k in range(len(some))]
        found = [None if None in column else torch.stack(column) for column in zip(*each, strict=True)]
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
        self.function: Any = vector.function
        self.is_batched = True

    def __call__(self, by: Floats) -> Floats:
        """F (k, m) at displacements (k, n)."""
        moved = {
            block.name: self.function.at[block.name]
            + by[:, block.start : block.stop].reshape(len(by), *block.shape)
            for block in self.vector.parameters.blocks
        }
        if self.is_batched and len(by) > 1:
            try:
                return self._flat(self._in_one_call(moved), len(by))
            except RuntimeError:  # vmap has no rule for something, or a branch depends on numbers
                self.is_batched = False
        points = ({name: np.asarray(block[k]) for name, block in moved.items()} for k in range(len(by)))
        return np.concatenate([self._flat(self.function(point), 1) for point in points])

    def _in_one_call(self, moved: dict[str, Floats]) -> dict[str, Any]:
        import torch

        slots = self.function.slots
        tensors = [like(moved[slot.name], slot.tensor, len(moved[slot.name])) for slot in slots]
        taken: list[str] = []

        def one(*given: Any) -> tuple[Any, ...]:
            found = self.function.outputs(list(given))
            taken[:] = found
            return tuple(found.values())

        with warnings_of_vmap_ignored():
            found = torch.func.vmap(one, randomness="same")(*tensors)
        return dict(zip(taken, map(to_block, found), strict=True))

    def _flat(self, outputs: dict[str, Any], count: int) -> Floats:
        """Outputs of many points as (k, m)."""
        flat = [outputs[block.name].reshape(count, -1) for block in self.vector.outputs.blocks]
        return flat[0] if len(flat) == 1 else np.concatenate(flat, axis=1)
