"""Embedding: each integer of the input (samples, ...) is replaced by a row of a table."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fastgrad.errors import InputError
from fastgrad.networks.base import Array, Blocks, Shape


@dataclass(frozen=True)
class Embedding:
    """Row x of the weight for each integer x of the input; the first layer of its network.

    Parameters
    ----------
    count : rows of the table: the input holds integers from 0 to count - 1
    features : length of each row

    Examples
    --------
    >>> import fastgrad
    >>> fastgrad.Embedding(1000, 16).output_shape((12,))
    (12, 16)
    """

    count: int
    features: int

    def output_shape(self, shape: Shape) -> Shape:
        """The input's shape and one more axis, of length `features`."""
        return (*shape, self.features)

    def initial(self, rng: np.random.Generator) -> Blocks:
        """Normal rows of variance one."""
        return {"weight": rng.standard_normal((self.count, self.features))}

    def forward(self, p: Blocks, x: Array) -> Array:
        """The rows."""
        if x.dtype.kind not in "iu" or (x.size and (x.min() < 0 or x.max() >= self.count)):
            raise InputError(
                f"{self} takes integers from 0 to {self.count - 1}; got {x.dtype} from {x.min()} to "
                f"{x.max()}",
                code="FG623",
            )
        return p["weight"][x]

    def backward(self, p: Blocks, x: Array, dy: Array) -> tuple[Array, Blocks]:
        """A row's gradient is the sum over the places of its integer; that of the integers is zero."""
        weight = np.zeros_like(p["weight"])
        np.add.at(weight, x, dy)
        return np.zeros(x.shape), {"weight": weight}
