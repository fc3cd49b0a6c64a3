"""Which parts of a network a rule may stand for: exactly those that compute as this package wrote them."""

from __future__ import annotations

import numpy as np
import pytest

from fastgrad import networks
from fastgrad.networks.chain import Chain
from fastgrad.networks.known import is_entirely_ours, is_own_method, kind_of, layer_kind


class Started(networks.Dense):
    """A Dense layer with a start of its own."""

    def initial(self, rng):
        """Zeros."""
        return {"weight": np.zeros((self.inputs, self.outputs)), "bias": np.zeros(self.outputs)}


class Doubled(networks.Dense):
    """A Dense layer that computes something else."""

    def forward(self, p, x):
        """Twice the output."""
        return 2 * super().forward(p, x)


def shadowed():
    """A loss whose method is shadowed by an attribute of the object."""
    loss = networks.HalfSquaredError()
    object.__setattr__(loss, "value", lambda y, target: 0.0)
    return loss


class TestKindOf:
    @pytest.mark.parametrize(
        "part",
        [networks.Dense(2, 3), networks.Tanh(), networks.MaxPool2D(2), networks.LogisticLoss(), Chain([])],
        ids=lambda part: type(part).__name__,
    )
    def test_as_written(self, part):
        """A part of this package is of its own class."""
        assert kind_of(part) is type(part)

    def test_subclasses(self):
        """A subclass may start from other numbers and keep its rule; it may not compute others."""
        assert kind_of(Started(2, 2)) is networks.Dense
        assert kind_of(Doubled(2, 2)) is None

    @pytest.mark.parametrize(
        "part",
        [object(), shadowed(), networks.LeakyReLU(np.array([0.1, 0.2])), networks.activations.Activation()],
    )
    def test_unknown(self, part):
        """No rule stands for a stranger, for a shadowed method, nor for a slope that is an array."""
        assert kind_of(part) is None


class TestLayerKind:
    def test_by_the_shapes_of_its_blocks(self):
        """A rule stands for a layer with the blocks that it knows, and not with others."""
        layer = networks.Dense(3, 2)

        assert layer_kind(layer, layer.initial(np.random.default_rng(0))) is networks.Dense
        assert layer_kind(layer, {"weight": np.zeros((3, 2)), "bias": np.zeros(1)}) is None


class TestEntirelyOurs:
    def test_network(self):
        """A network is ours where all its layers and the loss are, those in branches too."""
        loss = networks.HalfSquaredError()
        ours = networks.Network([networks.Residual([networks.Dense(2, 2)])], loss)
        started = networks.Network([networks.Residual([Started(2, 2)])], loss)

        assert is_entirely_ours(ours)
        assert not is_entirely_ours(started)
        assert not is_entirely_ours("a network")

    def test_own_method(self):
        """Only the network's own method of that name is one."""
        net = networks.Network([networks.Dense(2, 2)], networks.HalfSquaredError())
        twin = networks.Network([networks.Dense(2, 2)], networks.HalfSquaredError())

        assert is_own_method(net.cost, net, "cost")
        assert not is_own_method(net.gradient, net, "cost")
        assert not is_own_method(twin.cost, net, "cost")
