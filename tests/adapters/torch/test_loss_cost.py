"""The cost of a module as a function of arrays."""

from __future__ import annotations

import numpy as np
from torch_cases import batch, cross_entropy, small_net, torch

from fastgrad.adapters.torch.copies import Subject, copied
from fastgrad.adapters.torch.loss_cost import LossCost


def made(dtype=torch.float64, by_inputs=False, net=None):
    """The cost of the small net."""
    net = small_net(dtype=dtype) if net is None else net
    return LossCost(copied(Subject(net, cross_entropy, *batch(dtype), "both"), None), by_inputs)


def test_value():
    """It is the loss of the module, at these numbers and at others."""
    cost, net = made(), small_net()
    X, Y = batch()
    assert cost(cost.at) == cross_entropy(net(X), Y).item()
    moved = {name: block.copy() for name, block in cost.at.items()}
    moved["0.weight"][2, 1] += 0.5
    with torch.no_grad():
        net[0].weight[2, 1] += 0.5
        expected = cross_entropy(net(X), Y).item()
    assert cost(moved) == expected != cost(cost.at)


def test_moves_in_place():
    """An array that is written to between two calls is seen, though it is the same object."""
    cost = made()
    first = cost(cost.at)
    cost.at["2.bias"][0] += 1.0
    second = cost(cost.at)
    cost.at["2.bias"][0] -= 1.0
    assert second != first == cost(cost.at)


def test_gradient():
    """It is what backward() leaves, for the inputs too; the arrays do not share memory with the tensors."""
    cost, net = made(by_inputs=True), small_net()
    X, Y = batch()
    X.requires_grad_()
    cross_entropy(net(X), Y).backward()
    found = cost.gradient(cost.at)
    expected = {name: p.grad.numpy() for name, p in net.named_parameters()} | {"inputs": X.grad.numpy()}
    assert found.keys() == expected.keys()
    assert all(np.allclose(found[name], expected[name], rtol=1e-14, atol=0) for name in found)


def test_precision():
    """A number has the dtype of the loss, from which its rounding is known."""
    assert type(made()(made().at)) is float
    assert type(made(torch.float32)(made(torch.float32).at)) is np.float32


def test_twin():
    """A worker's twin gives the same, and moves a module of its own."""
    cost = made()
    twin = cost.for_worker()
    moved = {name: block + 1 for name, block in cost.at.items()}
    assert twin(moved) == cost(moved)
    assert twin(cost.at) == cost(cost.at) != cost(moved)
    assert twin.subject.module is not cost.subject.module
