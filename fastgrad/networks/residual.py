"""Residual: a branch of layers whose output is added to its input, (samples, ...)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fastgrad.errors import InputError
from fastgrad.networks.base import Array, Blocks, Layer, Shape
from fastgrad.networks.chain import Chain


class Residual:
    """The input plus the output of a branch, y = x + branch(x).

    Parameters
    ----------
    branch : layers one after the other, whose output has the shape of their input

    Examples
    --------
    >>> import fastgrad
    >>> block = fastgrad.Residual([fastgrad.Dense(8, 4), fastgrad.Tanh(), fastgrad.Dense(4, 8)])
    >>> block.output_shape((8,))
    (8,)
    """

    def __init__(self, branch: Sequence[Layer]) -> None:
        self.chain = Chain(branch)

    def __repr__(self) -> str:
        return f"Residual({list(self.chain.layers)})"

    def output_shape(self, shape: Shape) -> Shape:
        """The shape of the input; raises InputError where the branch has output of another shape."""
        out = self.chain.shapes(shape)[-1]
        if out != shape:
            raise InputError(
                f"the branch of {self} makes {out} of {shape}: it must keep the shape", code="FG621"
            )
        return shape

    def initial(self, rng: np.random.Generator) -> Blocks:
        """The parameters of the branch, named by its layers: "0.weight", ..."""
        return self.chain.initial(rng)

    def forward(self, p: Blocks, x: Array) -> Array:
        """y = x + branch(x)."""
        return x + self.chain.forward(p, x)[-1]

    def backward(self, p: Blocks, x: Array, dy: Array) -> tuple[Array, Blocks]:
        """The gradients; dx is dy plus the gradient through the branch."""
        dx, gradients = self.chain.backward(p, self.chain.forward(p, x), dy)
        return dy + dx, gradients
