"""Each layer's rule gives, for a change of some features, what the whole layer makes of it."""

from __future__ import annotations

import numpy as np
import pytest

from fastgrad import networks
from fastgrad.engines.network.layer_rules import (
    DEPEND_ON_THE_PLACE,
    MIX_SAMPLES,
    Change,
    felt_by,
    forward_many,
    keeps_the_part,
    own_change,
    own_layers,
    share_of_own,
    steps_of,
    through,
    through_chain,
)
from fastgrad.networks.chain import Chain

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


def step_of(layer):
    """A layer with parameters away from zero and one, as the engine sees it."""
    rng = np.random.default_rng(7)
    p = {f"0.{name}": b + 0.1 * rng.normal(size=b.shape) for name, b in layer.initial(rng).items()}
    (step,) = steps_of(Chain([layer]), p)
    return step


def forward(step, x):
    """The output of the layer itself."""
    return step.layer.forward(step.p, x)


class TestThrough:
    @each_layer
    @pytest.mark.parametrize(("lo", "hi"), [(1, 2), (0, 3), (0, 4)])
    def test_is_the_layer(self, layer, x, lo, hi):
        """K changes of features lo:hi, carried by the rule, are the layer's outputs for each of them."""
        step, hi = step_of(layer), min(hi, x.shape[1])
        part = Change(lo, hi, np.random.default_rng(8).normal(size=(2, *x[:, lo:hi].shape)))
        y = forward(step, x)

        found = through(step, x, y, part).everything(y).new

        expected = np.stack([forward(step, moved) for moved in part.everything(x).new])
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-13)

    @each_layer
    def test_keeps_the_part(self, layer, x):
        """Where a layer is said to keep the part, no more of its output is new than of its input."""
        step = step_of(layer)
        y = forward(step, x)
        found = through(step, x, y, Change(1, 2, x[None, :, 1:2] + 0.5))

        assert not keeps_the_part(step.kind) or (found.hi - found.lo) / y.shape[1] == 1 / x.shape[1]

    def test_through_chain(self):
        """A change of the input of any layer of a chain comes out as the chain's output for it."""
        chain = Chain(BRANCH)
        p = chain.initial(np.random.default_rng(0))
        values = chain.forward(p, FLAT)
        moved = values[1] + 0.5

        found = through_chain(steps_of(chain, p), values, 1, Change(0, 3, moved[None]))

        np.testing.assert_allclose(found.new[0], chain.forward(p, moved, 1)[-1], rtol=1e-12)

    def test_a_layer_of_ones_own(self):
        """A layer of an unknown kind has no rule, and is evaluated."""

        class Square(networks.Tanh):
            def value(self, z):
                return z**2

        step = step_of(Square())
        part = Change(1, 2, FLAT[None, :, 1:2] + 0.5)
        found = through(step, FLAT, FLAT**2, part)

        assert step.kind is None
        assert np.array_equal(found.new, part.everything(FLAT).new ** 2)


class TestOwnChange:
    @each_layer
    def test_is_the_layer(self, layer, x):
        """Moving any entry of a parameter by K offsets is the layer with that entry moved."""
        if isinstance(layer, networks.Residual):
            return  # the layers of its branch are moved, each at its own place
        step, offsets = step_of(layer), np.array([0.5, -0.25])
        y, felt = forward(step, x), felt_by(step, x)
        for name, block in step.p.items():
            index = tuple(int(i) for i in np.unravel_index(block.size - 1, block.shape))
            part = own_change(step, name, x, y, felt, index, offsets)
            for k, offset in enumerate(offsets):
                moved = step.p | {name: block.copy()}
                moved[name][index] += offset
                expected = layer.forward(moved, x)
                np.testing.assert_allclose(part.everything(y).new[k], expected, rtol=1e-12, atol=1e-13)
            assert (part.hi - part.lo) / y.shape[1] <= share_of_own(step.kind, y)


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
        step, many = step_of(layer), np.stack([x, 2 * x, -x])
        expected = np.stack([forward(step, batch) for batch in many])

        np.testing.assert_allclose(forward_many(step, many), expected, rtol=1e-12, atol=1e-14)


class TestStep:
    def test_holds(self):
        """A branch holds what one of its layers is, however deep it is nested."""
        deep = networks.Residual([networks.Residual([networks.Dense(4, 4), networks.Dropout(0.5)])])

        assert step_of(deep).holds(DEPEND_ON_THE_PLACE)
        assert step_of(deep).one_batch_at_a_time
        assert not step_of(deep).holds(MIX_SAMPLES)
        assert not step_of(networks.Residual(BRANCH)).one_batch_at_a_time

    def test_own_layers(self):
        """Layers that no rule stands for are named by their places, in branches too."""

        class Mine(networks.Tanh):
            def value(self, z):
                return z

        chain = Chain([networks.Tanh(), networks.Residual([networks.Tanh(), Mine()]), Mine()])

        assert [name for name, _ in own_layers(steps_of(chain, {}))] == ["1.1", "2"]
