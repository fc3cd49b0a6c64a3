"""Conv2D: a cross-correlation over images (samples, channels, height, width)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from fastgrad.errors import InputError
from fastgrad.networks.base import Array, Blocks, Shape, expect_image


@dataclass(frozen=True)
class Conv2D:
    """A convolution layer on images (channels, height, width), without dilation or groups.

    The weight has shape (filters, channels, size, size), the bias (filters,).

    Parameters
    ----------
    channels : of the input
    filters : channels of the output
    size : height and width of each filter
    stride : pixels from one window to the next
    padding : zeros added on each side

    Examples
    --------
    >>> import fastgrad
    >>> fastgrad.Conv2D(1, 16, 3, padding=1).output_shape((1, 28, 28))
    (16, 28, 28)
    """

    channels: int
    filters: int
    size: int
    stride: int = 1
    padding: int = 0

    def output_shape(self, shape: Shape) -> Shape:
        """The shape (filters, height, width), with a pixel for each window that fits."""
        expect_image(self, shape, self.channels)
        height, width = (self._windows(side) for side in shape[1:])
        if height < 1 or width < 1:
            raise InputError(
                f"{self} does not fit its input of shape {shape}: no window of it does", code="FG621"
            )
        return (self.filters, height, width)

    def initial(self, rng: np.random.Generator) -> Blocks:
        """Normal weights of variance 1 / (channels * size^2), biases of zero."""
        shape = (self.filters, self.channels, self.size, self.size)
        scale = np.sqrt(self.channels * self.size**2)
        return {"weight": rng.standard_normal(shape) / scale, "bias": np.zeros(self.filters)}

    def forward(self, p: Blocks, x: Array) -> Array:
        """z[n, o, i, j] = sum over c, a, b of window[n, c, i, j, a, b] * W[o, c, a, b], plus b[o]."""
        z = np.tensordot(self.view(x), p["weight"], axes=((1, 4, 5), (1, 2, 3)))
        return np.moveaxis(z, -1, 1) + p["bias"][:, None, None]

    def backward(self, p: Blocks, x: Array, dy: Array) -> tuple[Array, Blocks]:
        """The gradients of overlapping windows add up in each pixel."""
        weight = np.tensordot(dy, self.view(x), axes=((0, 2, 3), (0, 2, 3)))
        dx = np.zeros_like(self._padded(x))
        height, width = (self.stride * side for side in dy.shape[2:])
        for a in range(self.size):
            for b in range(self.size):
                back = np.tensordot(dy, p["weight"][:, :, a, b], axes=((1,), (0,)))
                dx[:, :, a : a + height : self.stride, b : b + width : self.stride] += np.moveaxis(
                    back, -1, 1
                )
        inside = slice(self.padding, -self.padding or None)
        return dx[:, :, inside, inside], {"weight": weight, "bias": dy.sum(axis=(0, 2, 3))}

    def _windows(self, side: int) -> int:
        return (side + 2 * self.padding - self.size) // self.stride + 1

    def _padded(self, x: Array) -> Array:
        edge = (self.padding, self.padding)
        return np.pad(x, ((0, 0), (0, 0), edge, edge))

    def view(self, x: Array) -> Array:
        """The windows of a batch, (samples, channels, height, width, size, size), without a copy of them."""
        view = sliding_window_view(self._padded(x), (self.size, self.size), axis=(2, 3))
        return view[:, :, :: self.stride, :: self.stride]
