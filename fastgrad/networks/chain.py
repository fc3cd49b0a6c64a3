"""Chain: layers one after the other.

`Network` and `Residual` hold a chain. A batch and blocks named by position go in; each layer's output, or the
gradients by the same names, come out.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fastgrad.errors import InputError
from fastgrad.networks.base import Array, Blocks, Layer, Shape, require_methods


class Chain:
    """Layers one after the other; layer k's parameter "weight" is named "k.weight"."""

    def __init__(self, layers: Sequence[Layer]) -> None:
        self.layers = tuple(layers)
        for k, layer in enumerate(self.layers):
            require_methods(f"layer {k}", layer, ("output_shape", "initial", "forward"), "backward")

    def shapes(self, shape: Shape) -> list[Shape]:
        """The shape of one sample of the input, and of each layer's output.

        Raises
        ------
        InputError
            Naming two layers that do not fit together.
        """
        shapes = [shape]
        for k, layer in enumerate(self.layers):
            try:
                shapes.append(layer.output_shape(shapes[-1]))
            except InputError as error:
                before = "the input" if k == 0 else f"layer {k - 1}, {self.layers[k - 1]},"
                raise InputError(
                    f"layer {k} does not fit {before}: {error.message}", code=error.code
                ) from error
        return shapes

    def initial(self, rng: np.random.Generator) -> Blocks:
        """Random parameters of all layers."""
        return {
            f"{k}.{name}": block
            for k, layer in enumerate(self.layers)
            for name, block in layer.initial(rng).items()
        }

    def forward(self, p: Blocks, x: Array, start: int = 0) -> list[Array]:
        """The input x of layer `start`, and the outputs of this layer and all later ones."""
        values = [x]
        for k in range(start, len(self.layers)):
            values.append(self.layers[k].forward(self.own(p, k), values[-1]))
        return values

    def backward(self, p: Blocks, values: Sequence[Array], dy: Array) -> tuple[Array, Blocks]:
        """The gradients with respect to the input and to each parameter, from the values of `forward`."""
        gradients: Blocks = {}
        for k in reversed(range(len(self.layers))):
            dy, own = self.layers[k].backward(self.own(p, k), values[k], dy)
            gradients |= {f"{k}.{name}": block for name, block in own.items()}
        return dy, gradients

    @staticmethod
    def own(p: Blocks, k: int) -> Blocks:
        """Layer k's parameters by their bare names."""
        prefix = f"{k}."
        return {name.removeprefix(prefix): block for name, block in p.items() if name.startswith(prefix)}
