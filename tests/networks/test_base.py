"""What every layer does, and the inputs that a layer refuses."""

from __future__ import annotations

import numpy as np
import pytest

from fastgrad import networks
from fastgrad.errors import InputError
from fastgrad.networks.base import expect_features, expect_image

# a layer of each kind, an input that fits it
LAYERS = [
    (networks.Dense(3, 2), np.ones((2, 3))),
    (networks.Conv2D(1, 2, 2), np.ones((2, 1, 4, 4))),
    (networks.MaxPool2D(2), np.ones((2, 1, 4, 4))),
    (networks.AvgPool2D(2), np.ones((2, 1, 4, 4))),
    (networks.BatchNorm(3), np.ones((2, 3))),
    (networks.LayerNorm(3), np.ones((2, 3))),
    (networks.Dropout(0.5), np.ones((2, 3))),
    (networks.Embedding(3, 2), np.ones((2, 3), dtype=int)),
    (networks.Residual([networks.Dense(3, 3)]), np.ones((2, 3))),
    (networks.Flatten(), np.ones((2, 3, 2))),
    (networks.Tanh(), np.ones((2, 3))),
]


class TestLayer:
    @pytest.mark.parametrize(("layer", "x"), LAYERS, ids=[type(layer).__name__ for layer, _ in LAYERS])
    def test_protocol(self, layer, x):
        """A layer says the shape that it makes, keeps no state, and has a gradient for each parameter."""
        p = layer.initial(np.random.default_rng(0))
        before = {name: block.copy() for name, block in p.items()}, x.copy()
        y = layer.forward(p, x)
        dx, own = layer.backward(p, x, np.ones(y.shape))

        assert y.shape[1:] == layer.output_shape(x.shape[1:])
        assert dx.shape == x.shape
        assert {name: g.shape for name, g in own.items()} == {name: b.shape for name, b in p.items()}
        assert np.array_equal(layer.forward(p, x), y)
        assert np.array_equal(x, before[1])
        assert all(np.array_equal(p[name], before[0][name]) for name in p)


class TestExpect:
    @pytest.mark.parametrize("shape", [(), (4,), (3, 4)])
    def test_features(self, shape):
        """Another length of the last axis is refused; the right one is not, whatever stands before it."""
        with pytest.raises(InputError, match="the layer takes 3 features; its input has shape"):
            expect_features("the layer", shape, 3)
        expect_features("the layer", (*shape, 3), 3)

    @pytest.mark.parametrize(
        ("shape", "channels", "wanted"),
        [((4,), None, "channels"), ((2, 4, 4), 3, "3"), ((1, 2, 3, 4), 1, "1")],
    )
    def test_image(self, shape, channels, wanted):
        """What is no image, or has other channels, is refused with the shape that is wanted."""
        with pytest.raises(InputError, match=rf"takes images of shape \({wanted}, height, width\)"):
            expect_image("the layer", shape, channels)
        expect_image("the layer", (channels or 7, 4, 4), channels)
