"""A change of a layer's input becomes the change of its output that evaluating it anew would give."""

from __future__ import annotations

import numpy as np
import pytest

from fastgrad import networks
from fastgrad.engines.network.layer_rules import Change, own_change, steps_of, through
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


def step_of(layer):
    """The layer with parameters of its own."""
    chain = Chain([layer])
    params = chain.initial_parameters(RNG) if hasattr(chain, "initial_parameters") else chain.initial(RNG)
    return steps_of(
        chain, {name: block + 0.1 * RNG.normal(size=block.shape) for name, block in params.items()}
    )[0]


@pytest.mark.parametrize(("layer", "x"), LAYERS, ids=lambda v: type(v).__name__)
def test_through(layer, x):
    """Two features moved in three ways give the outputs of the layer on the moved inputs."""
    step = step_of(layer)
    y = step.layer.forward(step.p, x)
    new = x[None, :, 1:3] + 0.3 * RNG.normal(size=(3, *x[:, 1:3].shape))
    found = through(step, x, y, Change(1, 3, new)).everything(y).new
    for k in range(3):
        moved = x.copy()
        moved[:, 1:3] = new[k]
        np.testing.assert_allclose(found[k], step.layer.forward(step.p, moved), rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("layer", "x"),
    [case for case in LAYERS if case[0].__class__.__name__ in ("Dense", "Conv2D", "BatchNorm")],
)
def test_own_change(layer, x):
    """Moving a layer's own parameter gives the output of the layer with the moved parameter."""
    from fastgrad.engines.network.layer_rules import felt_by

    step = step_of(layer)
    y, offsets = step.layer.forward(step.p, x), np.array([-0.2, 0.5])
    for name, block in step.p.items():
        index = tuple(n - 1 for n in block.shape)
        found = own_change(step, name, x, y, felt_by(step, x), index, offsets).everything(y).new
        for k, offset in enumerate(offsets):
            moved = {**step.p, name: block.copy()}
            moved[name][index] += offset
            np.testing.assert_allclose(found[k], step.layer.forward(moved, x), rtol=0, atol=1e-12)
