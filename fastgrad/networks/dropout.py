"""Dropout with a fixed mask.

The mask follows from a seed and the shape of the batch, so that the cost is a function of the parameters.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fastgrad.errors import InputError
from fastgrad.networks.base import Array, Blocks, Shape, WithoutParameters


@dataclass(frozen=True)
class Dropout(WithoutParameters):
    """Sets a share of the features to zero, by a seeded mask, and scales the others by 1 / (1 - rate).

    Parameters
    ----------
    rate : share of features dropped, from 0 up to but not including 1
    seed : of the mask; the same mask for every batch of the same shape

    Examples
    --------
    >>> import numpy as np
    >>> import fastgrad
    >>> fastgrad.Dropout(0.5, seed=1).forward({}, np.ones((1, 6)))
    array([[2., 2., 0., 2., 0., 0.]])
    """

    rate: float
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.rate < 1:
            raise InputError(f"Dropout takes a rate from 0 to below 1; got {self.rate!r}", code="FG622")

    def output_shape(self, shape: Shape) -> Shape:
        """The shape of the input."""
        return shape

    def forward(self, p: Blocks, x: Array) -> Array:
        """The input times the mask."""
        del p
        return x * self.mask(x)

    def backward(self, p: Blocks, x: Array, dy: Array) -> tuple[Array, Blocks]:
        """The gradient times the same mask."""
        del p
        return dy * self.mask(x), {}

    def mask(self, x: Array) -> Array:
        """Zeros and 1 / (1 - rate), of x's shape and dtype."""
        kept = np.random.default_rng(self.seed).random(x.shape) >= self.rate
        return np.asarray(kept / (1 - self.rate), dtype=x.dtype)
