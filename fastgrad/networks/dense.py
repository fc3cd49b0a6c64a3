"""Dense: z = x W + b, over the last axis of x (samples, ..., inputs)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fastgrad.networks.base import Array, Blocks, Shape, expect_features


@dataclass(frozen=True)
class Dense:
    """An affine layer, z = x W + b, with weight of shape (inputs, outputs) and bias (outputs,).

    Parameters
    ----------
    inputs, outputs : the numbers of features before and after

    Examples
    --------
    >>> import fastgrad
    >>> fastgrad.Dense(784, 256).output_shape((784,))
    (256,)
    """

    inputs: int
    outputs: int

    def output_shape(self, shape: Shape) -> Shape:
        """The input's shape, with a last axis of length `outputs`."""
        expect_features(self, shape, self.inputs)
        return (*shape[:-1], self.outputs)

    def initial(self, rng: np.random.Generator) -> Blocks:
        """Normal weights of variance 1 / inputs, biases of zero."""
        weight = rng.standard_normal((self.inputs, self.outputs)) / np.sqrt(self.inputs)
        return {"weight": weight, "bias": np.zeros(self.outputs)}

    def forward(self, p: Blocks, x: Array) -> Array:
        """z = x W + b."""
        return x @ p["weight"] + p["bias"]

    def backward(self, p: Blocks, x: Array, dy: Array) -> tuple[Array, Blocks]:
        """dx = dz W^T, dW = x^T dz, db = sum of dz."""
        rows, drows = x.reshape(-1, self.inputs), dy.reshape(-1, self.outputs)
        return dy @ p["weight"].T, {"weight": rows.T @ drows, "bias": drows.sum(axis=0)}
