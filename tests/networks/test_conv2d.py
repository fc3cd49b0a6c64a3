"""Conv2D: a cross-correlation of each filter with each window."""

from __future__ import annotations

import numpy as np
import pytest
from layer_gradients import require_gradients

from fastgrad.networks.conv2d import Conv2D

RNG = np.random.default_rng(0)
IMAGES = RNG.normal(size=(2, 2, 5, 4))


def by_loops(layer, p, x):
    """The same by loops over windows, the slow and obvious way."""
    edge = layer.padding
    padded = np.pad(x, ((0, 0), (0, 0), (edge, edge), (edge, edge)))
    y = np.empty((len(x), *layer.output_shape(x.shape[1:])))
    for n, o, i, j in np.ndindex(y.shape):
        at = slice(i * layer.stride, i * layer.stride + layer.size)
        across = slice(j * layer.stride, j * layer.stride + layer.size)
        y[n, o, i, j] = np.sum(padded[n, :, at, across] * p["weight"][o]) + p["bias"][o]
    return y


@pytest.mark.parametrize(
    ("size", "stride", "padding"), [(3, 1, 0), (2, 2, 0), (3, 2, 1), (1, 1, 0), (2, 3, 2)]
)
class TestConv2D:
    def test_forward(self, size, stride, padding):
        """Each output is one filter on one window, with zeros around the image."""
        layer = Conv2D(2, 3, size, stride, padding)
        p = {"weight": RNG.normal(size=(3, 2, size, size)), "bias": RNG.normal(size=3)}

        np.testing.assert_allclose(
            layer.forward(p, IMAGES), by_loops(layer, p, IMAGES), rtol=1e-13, atol=1e-14
        )

    def test_gradients(self, size, stride, padding):
        """Back-propagation is the derivative of the forward pass, for pixels in no window too."""
        require_gradients(Conv2D(2, 3, size, stride, padding), IMAGES)
