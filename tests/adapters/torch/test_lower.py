"""A Sequential of known layers is evaluated as a Network, and reported in torch's terms."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from torch_cases import Sine, drawn, settled, torch

from fastgrad.adapters.torch.copies import copied
from fastgrad.adapters.torch.loss_cost import LossCost
from fastgrad.adapters.torch.lower import network_way
from fastgrad.adapters.torch.refusals import subject_of
from fastgrad.engines.python import PythonEngine
from fastgrad.problem.parameters import Parameters

nn, F = torch.nn, torch.nn.functional
X, IMAGES, LABELS = drawn(6, 4, seed=2), drawn(6, 2, 5, 5, seed=2), torch.tensor([0, 1, 2, 0, 1, 2])

ACTIVATIONS = {
    "Tanh": nn.Tanh(),
    "ReLU": nn.ReLU(),
    "Sigmoid": nn.Sigmoid(),
    "GELU": nn.GELU(),
    "Softplus": nn.Softplus(),
    "SiLU": nn.SiLU(),
    "ELU": nn.ELU(0.7),
    "LeakyReLU": nn.LeakyReLU(0.2),
    "Identity": nn.Identity(),
    "Dropout": nn.Dropout(0.5).eval(),
}


def engines(module, loss=None, data=(X, LABELS)):
    """The plain engine of a module, and the one of its network."""
    subject = subject_of(settled(module), nn.CrossEntropyLoss() if loss is None else loss, data)
    cost = LossCost(copied(subject, None))
    plain = PythonEngine(cost, Parameters(cost.at))
    plain.baseline()
    return plain, network_way(plain)


def mlp(activation, **options):
    """Two linear layers with an activation between them."""
    return nn.Sequential(nn.Linear(4, 5, **options), activation, nn.Linear(5, 3))


def same(plain, network):
    """Whether both give the same at moved parameters, each coordinate by another distance."""
    indices = np.arange(plain.parameters.size)
    offsets = (0.01 + 1e-4 * indices)[:, None] * np.array([-1.0, 1.0])
    found = network.values(indices, offsets) + network.origin
    return np.allclose(found, plain.values(indices, offsets), rtol=1e-12, atol=0)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations(name):
    """Each known layer gives the same as torch's, with torch's order of the weight's axes."""
    plain, network = engines(mlp(copy.deepcopy(ACTIVATIONS[name])))
    assert network.name == "network"
    assert [b.shape for b in network.parameters.blocks] == [(5, 4), (5,), (3, 5), (3,)]
    assert same(plain, network)


def test_nested_and_without_bias():
    """Nested Sequentials are unrolled, and a layer without a bias has none in the report."""
    module = nn.Sequential(nn.Sequential(nn.Linear(4, 5, bias=False), nn.Tanh()), nn.Linear(5, 3))
    plain, network = engines(module)
    assert [b.name for b in network.parameters.blocks] == ["0.0.weight", "1.weight", "1.bias"]
    assert same(plain, network)


def test_frozen():
    """What is frozen is not moved, and computed with."""
    module = mlp(nn.Tanh())
    module[0].requires_grad_(False)
    plain, network = engines(module)
    assert [b.name for b in network.parameters.blocks] == ["2.weight", "2.bias"]
    assert same(plain, network)


def test_convolution():
    """A convolution and a flattening."""
    conv = nn.Conv2d(2, 3, 3, stride=2, padding=1)
    plain, network = engines(
        nn.Sequential(conv, nn.ReLU(), nn.Flatten(), nn.Linear(27, 3)), data=(IMAGES, LABELS)
    )
    assert same(plain, network)


LOSSES = {
    "cross_entropy": (F.cross_entropy, LABELS),
    "MSELoss": (nn.MSELoss(), drawn(6, 3)),
    "mse_loss": (F.mse_loss, drawn(6, 3)),
    "BCEWithLogitsLoss": (nn.BCEWithLogitsLoss(), drawn(6, 3).sigmoid()),
}


@pytest.mark.parametrize("name", LOSSES)
def test_losses(name):
    """Each known loss gives the same as torch's."""
    loss, targets = LOSSES[name]
    assert same(*engines(mlp(nn.Tanh()), loss, (X, targets)))


class Subclass(nn.Linear):
    """It may compute anything."""


def hooked():
    """A network with a hook that changes an output."""
    module = mlp(nn.Tanh())
    module[0].register_forward_hook(lambda m, given, out: 2 * out)
    return module


def tied():
    """A network that uses a weight twice."""
    module = nn.Sequential(nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 4))
    module[2].weight = module[0].weight
    return module


UNKNOWN = {
    "layer": (mlp(Sine()), nn.CrossEntropyLoss()),
    "subclass": (nn.Sequential(Subclass(4, 3)), nn.CrossEntropyLoss()),
    "hook": (hooked(), nn.CrossEntropyLoss()),
    "tied": (tied(), nn.CrossEntropyLoss()),
    "dropout": (mlp(nn.Dropout(0.5)), nn.CrossEntropyLoss()),
    "tanh in GELU": (mlp(nn.GELU("tanh")), nn.CrossEntropyLoss()),
    "loss": (mlp(nn.Tanh()), nn.CrossEntropyLoss(label_smoothing=0.1)),
    "function": (mlp(nn.Tanh()), lambda y, t: F.cross_entropy(y, t)),
    "ignored label": (mlp(nn.Tanh()), nn.CrossEntropyLoss(), (X, torch.tensor([0, 1, -100, 0, 1, 2]))),
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_unknown(name):
    """What is not known exactly is left to other ways."""
    assert engines(*UNKNOWN[name])[1] is None
