"""Whether autograd's gradient is right beyond doubt: the fast way to a yes of gradcheck.

Rows of the Jacobian and outputs at many points are asked for in batches, where vmap can take the function.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from fastgrad.adapters.torch.batches import warnings_of_vmap_ignored
from fastgrad.adapters.torch.output_batches import combined_outputs
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
    return is_right(_Rows(function.vjp, vector), _Outputs(function, vector))


class _Rows(TransposedProduct):
    """The products of a function, many at a time where all rows are wanted."""

    def on(self, pattern: Any, most: int) -> Floats | None:
        """The entries of J on a pattern."""
        m, n = pattern.shape
        if pattern.nnz < m * n or not 1 < m < most:
            return super().on(pattern, most)
        function: Any = self.vector.function
        try:
            rows = np.concatenate([_rows(function, m, k) for k in range(0, m, TOGETHER)])
        except RuntimeError:  # vmap has no rule for a backward pass
            return super().on(pattern, most)
        return np.asarray(rows.T.reshape(-1))


def _rows(function: TensorFunction, m: int, start: int) -> Floats:
    """(TOGETHER, n) rows of J from one on."""
    import torch

    tensors, outputs = function.graph_at(function.at)
    some = np.eye(m)[start : start + TOGETHER]
    upstream, place = [], 0
    for name, output in function.outputs_at.items():
        piece = some[:, place : place + output.size].reshape(len(some), *output.shape)
        place += output.size
        if name in outputs:
            upstream.append(like(piece, outputs[name], len(some)))
    with warnings_of_vmap_ignored():
        found = torch.autograd.grad(
            list(outputs.values()), tensors, upstream, retain_graph=True, allow_unused=True, is_grads_batched=True
        )
    return np.concatenate(
        [
            np.zeros((len(some), function.at[slot.name].size)) if g is None else to_block(g).reshape(len(some), -1)
            for slot, g in zip(function.slots, found, strict=True)
        ],
        axis=1,
    )
