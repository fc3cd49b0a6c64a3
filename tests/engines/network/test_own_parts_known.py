"""Which layers, losses and networks have rules, and what is refused as none of them."""

from __future__ import annotations

import numpy as np
import pytest
from network_cases import parameters_of
from own_part_cases import (
    CASES,
    CE,
    FLAT,
    IMAGES,
    LABELS,
    Case,
    Identity,
    Own,
    Quartic,
    ThreeTanh,
    dense,
    engine_of,
    shadowed,
)

import fastgrad
from fastgrad import networks
from fastgrad.engines.choose import is_networks_own
from fastgrad.networks import (
    BatchNorm,
    Conv2D,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    LayerNorm,
    MaxPool2D,
    Network,
    Residual,
    Tanh,
)
from fastgrad.networks.known import is_entirely_ours, kind_of

MADE = {
    networks.LeakyReLU: (0.1,),
    networks.ELU: (0.5,),
    Dense: (4, 3),
    Conv2D: (2, 3, 3),
    BatchNorm: (4,),
    LayerNorm: (4,),
    Embedding: (7, 4),
    Dropout: (0.5,),
    MaxPool2D: (2,),
    networks.AvgPool2D: (2,),
    Residual: ([Dense(4, 4)],),
    Network: ([Dense(4, 3)], CE),
}
"""What the classes are made with that take something."""

KNOWN = [getattr(networks, name) for name in networks.__all__]


class TestKnown:
    @pytest.mark.parametrize("kind", KNOWN)
    def test_a_subclass_that_overrides_what_the_cost_calls(self, kind):
        """Every method of a layer, a loss or the network counts, but those of its gradient and its start."""
        made = MADE.get(kind, ())
        assert kind_of(kind(*made)) is kind
        assert kind_of(type("Named", (kind,), {"backward": None, "gradient": None, "note": 1})(*made)) is kind
        calls = {"forward", "value", "cost", "check", "each", "mask", "normalised", "view", "penalty", "step"}
        for name in calls & set(dir(kind)):
            method = vars(kind).get(name) or getattr(kind, name)
            own = method if isinstance(method, property) else (lambda self, *a, m=method: m(self, *a))
            own = property(own.fget) if isinstance(own, property) else own
            assert kind_of(type("Own", (kind,), {name: own})(*made)) is None

    def test_a_replaced_method(self, monkeypatch):
        """A method replaced on an object, or on the class itself, counts too."""
        assert kind_of(shadowed()) is None
        monkeypatch.setattr(Tanh, "value", lambda self, z: np.sin(z))
        assert kind_of(Tanh()) is None

    def test_a_branch_by_another_chain(self):
        """A Residual whose chain was replaced is none."""
        block = Residual([Dense(4, 4)])
        block.chain = type("Reversed", (type(block.chain),), {"forward": None})(block.chain.layers)
        assert kind_of(block) is None

    def test_a_subclass_that_starts_elsewhere_keeps_its_rule(self):
        """A Dense layer with another initialisation is as fast as ever, and no note speaks of it."""
        net = Network([Identity(5, 4), Tanh(), Identity(4, 3)], CE)
        engine = engine_of(Case(net, FLAT, LABELS, ()))
        assert (engine.notes, engine.workers, engine.origin) == ((), "threads", engine.state.cost)
        assert engine.state.tail is not None
        assert engine.state.tail.positions == (0, 2)
        assert fastgrad.check(net.problem(parameters_of(net), FLAT, LABELS), perturb="nodes").passed

    def test_rules_stand_behind_an_own_layer(self):
        """Dense layers behind a layer of one's own are computed by kernels as before."""
        assert engine_of(CASES["keeps a buffer"]).state.tail.positions == (2, 4)

    def test_an_own_gradient_is_no_longer_taken_for_a_function(self):
        """A network's own gradient is called once only where all of it is known."""
        net, own = dense(Tanh()), CASES["sin(5x)"].net
        assert is_entirely_ours(net)
        assert not any(is_entirely_ours(n) for n in (own, CASES["quartic loss"].net, dense(ThreeTanh())))
        assert is_networks_own(net.gradient, net, "gradient")
        assert not is_networks_own(own.gradient, own, "gradient")
        assert not is_networks_own(net.cost, own, "cost")


class Images(Own):
    """A first layer whose `inputs` is no number of features."""

    inputs = 2

    def forward(self, p, x):
        """x."""
        return x

    def backward(self, p, x, dy):
        """dy."""
        return dy, {}


class TestConstructor:
    @pytest.mark.parametrize(
        ("attempt", "message"),
        [
            (
                lambda: Network([Dense(5, 3), np.tanh], CE),
                "layer 1, .*tanh.*, has no method output_shape, initial",
            ),
            (lambda: Network([Dense(5, 3), Tanh], CE), r"layer 1 is the class Tanh: pass .* Tanh\(\.\.\.\)"),
            (lambda: dense(Residual([np.tanh])), "layer 0, .*tanh.*, has no method"),
            (
                lambda: dense(loss=np.mean),
                "the loss, .*mean.*, has no method check, value: it needs check, value",
            ),
            (lambda: dense(loss=Quartic), "the loss is the class Quartic"),
        ],
    )
    def test_what_is_no_layer_or_loss_is_refused(self, attempt, message):
        """What lacks a method is refused at once, with its place and what is missing."""
        with pytest.raises(fastgrad.InputError, match=message):
            attempt()

    def test_a_first_layer_may_call_anything_its_inputs(self):
        """Only a Dense layer's inputs are taken for a number of features."""
        net = Network([Images(), Flatten(), Dense(60, 3)], CE)
        assert fastgrad.check(net.problem(parameters_of(net), IMAGES, LABELS[:4])).passed
