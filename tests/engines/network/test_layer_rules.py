"""Each layer's rule gives, for a change of some features, what the whole layer makes of it."""

from __future__ import annotations

import numpy as np
import pytest

from fastgrad import networks
from fastgrad.engines.network.layer_rules import (
    Change,
    felt_by,
    forward_many,
    keeps_the_part,
    own_change,
    share_of_own,
    through,
    through_chain,
)

RNG = np.random.default_rng(1)
FLAT = RNG.normal(size=(5, 4))
IMAGES = RNG.normal(size=(3, 4, 5, 5))
SEQUENCES = RNG.normal(size=(3, 2, 4))
BRANCH = [networks.Dense(4, 3), networks.Tanh(), networks.Dense(3, 4)]

# layer, its input
LAYERS = [
    (networks.Tanh(), FLAT),
    (networks.ReLU(), IMAGES),
    (networks.Dense(4, 3), FLAT),
    (networks.Dense(4, 3), SEQUENCES),
    (networks.BatchNorm(4), FLAT),
    (networks.BatchNorm(4), IMAGES),
    (networks.LayerNorm(4), FLAT),
    (networks.LayerNorm(4), SEQUENCES),
    (networks.Dropout(0.4, seed=1), FLAT),
    (networks.Residual(BRANCH), FLAT),
    (networks.Flatten(), IMAGES),
    (networks.Conv2D(4, 2, 3, padding=1), IMAGES),
    (networks.MaxPool2D(2), IMAGES),
    (networks.AvgPool2D(3, stride=2), IMAGES),
]
each_layer = pytest.mark.parametrize(
    ("layer", "x"), LAYERS, ids=[f"{type(layer).__name__}-{x.ndim}" for layer, x in LAYERS]
)


def parameters(layer):
    """Parameters away from zero and one."""
    return {name: b + 0.1 * RNG.normal(size=b.shape) for name, b in layer.initial(RNG).items()}


class TestThrough:
    @each_layer
    @pytest.mark.parametrize(("lo", "hi"), [(1, 2), (0, 3), (0, 4)])
    def test_is_the_layer(self, layer, x, lo, hi):
        """K changes of features lo:hi, carried by the rule, are the layer's outputs for each of them."""
        p, count = parameters(layer), 2
        hi = min(hi, x.shape[1])
        part = Change(lo, hi, RNG.normal(size=(count, *x[:, lo:hi].shape)))
        y = layer.forward(p, x)

        found = through(layer, p, x, y, part).everything(y).new

        expected = np.stack([layer.forward(p, moved) for moved in part.everything(x).new])
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-13)

    @each_layer
    def test_keeps_the_part(self, layer, x):
        """Where a layer is said to keep the part, no more of its output is new than of its input."""
        p = parameters(layer)
        part = Change(1, 2, RNG.normal(size=(1, *x[:, 1:2].shape)))
        found = through(layer, p, x, layer.forward(p, x), part)
        share = (found.hi - found.lo) / layer.forward(p, x).shape[1]

        assert not keeps_the_part(layer) or share == 1 / x.shape[1]

    def test_through_chain(self):
        """A change of the input of any layer of a chain comes out as the chain's output for it."""
        chain = networks.Residual(BRANCH).chain
        p = chain.initial(RNG)
        values = chain.forward(p, FLAT)
        moved = values[1] + RNG.normal(size=(1, *values[1].shape))

        found = through_chain(chain, p, values, 1, Change(0, 3, moved))

        np.testing.assert_allclose(found.new[0], chain.forward(p, moved[0], 1)[-1], rtol=1e-12)

    def test_an_activation_of_ones_own(self):
        """A layer of an unknown kind has no rule, and is evaluated."""

        class Square:
            def forward(self, p, x):
                return x**2

        part = Change(1, 2, RNG.normal(size=(2, 5, 1)))
        found = through(Square(), {}, FLAT, FLAT**2, part)

        assert np.array_equal(found.new, part.everything(FLAT).new ** 2)


class TestOwnChange:
    @each_layer
    def test_is_the_layer(self, layer, x):
        """Moving any entry of a parameter by K offsets is the layer with that entry moved."""
        p, offsets = parameters(layer), np.array([0.5, -0.25])
        y, felt = layer.forward(p, x), felt_by(layer, x)
        for name, block in p.items():
            index = tuple(int(i) for i in np.unravel_index(block.size - 1, block.shape))
            part = own_change(layer, p, name, x, y, felt, index, offsets)
            for k, offset in enumerate(offsets):
                moved = p | {name: block.copy()}
                moved[name][index] += offset
                expected = layer.forward(moved, x)
                np.testing.assert_allclose(part.everything(y).new[k], expected, rtol=1e-12, atol=1e-13)
            assert (part.hi - part.lo) / y.shape[1] <= share_of_own(layer, y)


class TestChange:
    def test_everything(self):
        """The other features are what they were; a change of all is itself."""
        part = Change(1, 3, RNG.normal(size=(2, 5, 2)))
        full = part.everything(FLAT)

        assert (full.lo, full.hi) == (0, 4)
        assert np.array_equal(full.new[:, :, 1:3], part.new)
        assert (full.new[:, :, [0, 3]] == FLAT[:, [0, 3]]).all()
        assert full.everything(FLAT) is full
        np.testing.assert_allclose(part.difference(FLAT) + FLAT[:, 1:3], part.new)


class TestForwardMany:
    @each_layer
    def test_one_by_one(self, layer, x):
        """Many batches at once are each batch by itself, where samples are coupled too."""
        p, many = parameters(layer), np.stack([x, 2 * x, -x])
        expected = np.stack([layer.forward(p, batch) for batch in many])

        np.testing.assert_allclose(forward_many(layer, p, many), expected, rtol=1e-12, atol=1e-14)
