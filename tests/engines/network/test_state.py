"""A network at its parameters: what every perturbation starts from."""

from __future__ import annotations

import numpy as np
import pytest
from network_cases import NETWORKS, parameters_of

from fastgrad import networks
from fastgrad.engines.network.state import NetworkState


@pytest.mark.parametrize(("net", "X", "Y"), NETWORKS)
def test_the_cost_is_the_networks(net, X, Y):
    """The cost is that of the network, to rounding, and its last activation is what the loss sees."""
    params = parameters_of(net)
    state = NetworkState(net, params, X, Y)
    assert state.cost == pytest.approx(net.cost(params, X, Y), rel=1e-13)
    assert len(state.values[-1]) == state.samples == len(X)


def test_dense_places_are_found_inside_branches():
    """Dense layers are found wherever they stand, by the names of their blocks."""
    layers = [networks.Dense(5, 4), networks.Residual([networks.Dense(4, 4)]), networks.Dense(4, 3)]
    net = networks.Network(layers, networks.HalfSquaredError())
    state = NetworkState(net, net.initial_parameters(0), np.ones((2, 5)), np.ones((2, 3)))
    assert [place.name for place in state.dense_places] == ["0", "1.0", "2"]
    assert state.place("1.0") is state.place("1.0")


def test_a_batch_is_small_enough_for_the_cache():
    """Fewer coordinates travel together the more one makes new; one at the least."""
    net, X, Y = NETWORKS[-3]
    state = NetworkState(net, parameters_of(net), X, Y)
    place = state.place("0")
    assert state.batch_size(place, 1) >= 4 * state.batch_size(place, 4) // 2
    assert state.batch_size(place, 10**9) == 1
