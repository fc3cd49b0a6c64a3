"""Flatten: an image or a sequence becomes a vector, (samples, ...) -> (samples, features)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fastgrad.networks.base import Array, Blocks, Shape, WithoutParameters


@dataclass(frozen=True)
class Flatten(WithoutParameters):
    """Each sample's array as one vector, in C order.

    Examples
    --------
    >>> import fastgrad
    >>> fastgrad.Flatten().output_shape((32, 14, 14))
    (6272,)
    """

    def output_shape(self, shape: Shape) -> Shape:
        """The shape (features,), with a feature for each number of the sample."""
        return (int(np.prod(shape, dtype=np.int64)),)

    def forward(self, p: Blocks, x: Array) -> Array:
        """The same numbers in another shape."""
        del p
        return x.reshape(len(x), -1)

    def backward(self, p: Blocks, x: Array, dy: Array) -> tuple[Array, Blocks]:
        """The same numbers in the old shape."""
        del p
        return dy.reshape(x.shape), {}
