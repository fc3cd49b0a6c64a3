"""A change of a layer's input becomes the change of its output that evaluating it anew would give."""

from __future__ import annotations

import numpy as np
import pytest

from fastgrad import networks
from fastgrad.engines.network.layer_rules import (
    Change,
    Evaluated,
    bind_layers,
    change_of_entry,
    operand,
    through_layer,
)
from fastgrad.networks.chain import Chain

RNG = np.random.default_rng(4)
FLAT, IMAGES = RNG.normal(size=(5, 4)), RNG.normal(size=(5, 4, 6, 6))
LAYERS = [
    (networks.Tanh(), FLAT),
    (networks.GELU(), IMAGES),
    (networks.Dense(4, 3), FLAT),
    (networks.BatchNorm(4), FLAT),
    (networks.BatchNorm(4), IMAGES),
    (networks.LayerNorm(4), FLAT),
    (networks.Dropout(0.4, seed=2), FLAT),
    (networks.Conv2D(4, 3, 3, padding=1), IMAGES),
    (networks.MaxPool2D(2), IMAGES),
    (networks.AvgPool2D(3, stride=2), IMAGES),
    (networks.Flatten(), IMAGES),
    (networks.Residual([networks.Dense(4, 4), networks.Tanh()]), FLAT),
]


def bound_of(layer):
    """The layer with parameters of its own."""
    chain = Chain([layer])
    params = chain.initial_parameters(RNG) if hasattr(chain, "initial_parameters") else chain.initial(RNG)
    return bind_layers(
        chain, {name: block + 0.1 * RNG.normal(size=block.shape) for name, block in params.items()}
    )[0]


@pytest.mark.parametrize(("layer", "x"), LAYERS, ids=lambda v: type(v).__name__)
def test_through_layer(layer, x):
    """Two features moved in three ways give the outputs of the layer on the moved inputs."""
    bound = bound_of(layer)
    y = bound.layer.forward(bound.p, x)
    new = x[None, :, 1:3] + 0.3 * RNG.normal(size=(3, *x[:, 1:3].shape))
    found = through_layer(bound, x, y, Change(1, 3, new)).widened(y).new
    for k in range(3):
        moved = x.copy()
        moved[:, 1:3] = new[k]
        np.testing.assert_allclose(found[k], bound.layer.forward(bound.p, moved), rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("layer", "x"),
    [case for case in LAYERS if case[0].__class__.__name__ in ("Dense", "Conv2D", "BatchNorm")],
)
def test_change_of_entry(layer, x):
    """Moving a layer's own parameter gives the output of the layer with the moved parameter."""
    bound = bound_of(layer)
    y, offsets = bound.layer.forward(bound.p, x), np.array([-0.2, 0.5])
    at = Evaluated(bound, x, y, operand(bound, x))
    for name, block in bound.p.items():
        index = tuple(n - 1 for n in block.shape)
        found = change_of_entry(at, name, index, offsets).widened(y).new
        for k, offset in enumerate(offsets):
            moved = {**bound.p, name: block.copy()}
            moved[name][index] += offset
            np.testing.assert_allclose(found[k], bound.layer.forward(moved, x), rtol=0, atol=1e-12)
