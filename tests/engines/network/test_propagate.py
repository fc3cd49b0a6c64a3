"""Perturbations carried by NumPy rules, a batch at a time."""

from __future__ import annotations

import numpy as np
import pytest
from network_cases import NETWORKS, parameters_of

from fastgrad.engines.network.engine import NetworkEngine
from fastgrad.engines.network.place import split_name
from fastgrad.engines.network.propagate import loss_changes, plain_changes
from fastgrad.engines.network.state import NetworkState
from fastgrad.problem.parameters import Parameters


@pytest.mark.parametrize(("net", "X", "Y"), NETWORKS[15:])
def test_batches_do_not_matter(net, X, Y, monkeypatch):
    """However many coordinates, or offsets of one, travel together, the values are the same."""
    rng, found = np.random.default_rng(3), []
    parameters = Parameters(parameters_of(net))
    indices, offsets = np.arange(parameters.size), 1e-4 * rng.normal(size=(parameters.size, 5))
    for size in (1, 3000, 2**30):
        monkeypatch.setattr("fastgrad.engines.network.state.PLAIN_BYTES", size)
        found.append(NetworkEngine(net.cost, parameters, (X, Y), net).values(indices, offsets))
    for other in found[1:]:
        np.testing.assert_allclose(other, found[0], rtol=0, atol=1e-14)


@pytest.mark.parametrize(("net", "X", "Y"), NETWORKS[:10])
def test_loss_changes(net, X, Y):
    """For K outputs of the batch it is the change of each sample's loss."""
    state = NetworkState(net, parameters_of(net), X, Y)
    outputs = state.values[-1] + np.random.default_rng(0).normal(size=(3, *state.values[-1].shape))

    found = loss_changes(state, outputs)

    expected = [net.loss.each(y, state.target) - state.each for y in outputs]
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(("net", "X", "Y"), NETWORKS[12:])
def test_plain_changes(net, X, Y):
    """The changes for moved entries of one parameter add up to those of the network's own cost."""
    params = parameters_of(net)
    state = NetworkState(net, params, X, Y)
    name = next(iter(params))
    place, own = split_name(name)
    inside, offsets = np.array([0, params[name].size - 1]), np.array([[0.5, -0.25], [1e-3, 2.0]])

    found = plain_changes(state, state.place(place), own, inside, offsets)

    for k, i in enumerate(inside):
        for s, offset in enumerate(offsets[k]):
            moved = params | {name: params[name].copy()}
            moved[name].reshape(-1)[i] += offset
            data = [net.cost(p, X, Y) - net.penalty(p) for p in (moved, params)]
            assert found[k, s] == pytest.approx(data[0] - data[1], abs=1e-12)
