"""One layer where it stands in a network."""

from __future__ import annotations

from network_cases import NETWORKS, parameters_of

from fastgrad.engines.network.engine import NetworkEngine
from fastgrad.problem.parameters import Parameters


def test_largest_change():
    """A convolution's weight makes one channel new, until a layer after it makes everything new."""
    net, X, Y = NETWORKS[19]  # a convolution of three filters, pooled, flattened, and three outputs
    state = NetworkEngine(net.cost, Parameters(parameters_of(net)), (X, Y), net).state
    channel = state.values[1].nbytes / 3
    assert state.place("0").largest_change == channel
    assert channel > state.values[-1].nbytes == state.place("3").largest_change
