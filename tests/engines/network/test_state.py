"""A network at its parameters: what every perturbation starts from, in float64."""

from __future__ import annotations

import numpy as np
import pytest
from network_cases import CE, FLAT, LABELS, NETWORKS, parameters_of

from fastgrad.engines.network.state import NetworkState
from fastgrad.networks import Dense, Network, Residual, Tanh

NESTED = Network([Dense(5, 4), Residual([Dense(4, 6), Tanh(), Dense(6, 4)]), Dense(4, 3)], CE, l2=0.1)


def state_of(net=NESTED, dtype=np.float64):
    """The state of a network on the flat batch."""
    return NetworkState(net, parameters_of(net, dtype), FLAT.astype(dtype), LABELS)


class TestNetworkState:
    @pytest.mark.parametrize(("net", "X", "Y"), NETWORKS)
    def test_cost(self, net, X, Y):
        """The cost is the network's own, penalty included, and the samples add up to the rest."""
        state = NetworkState(net, parameters_of(net), X, Y)

        assert state.cost == pytest.approx(net.cost(parameters_of(net), X, Y), rel=1e-14)
        assert state.each.sum() + net.penalty(state.params) == pytest.approx(state.cost, rel=1e-14)
        assert state.samples == len(X)

    def test_float32(self):
        """float32 parameters and inputs are evaluated in float64."""
        state = state_of(dtype=np.float32)

        assert {v.dtype for v in (*state.values, *state.params.values())} == {np.dtype(np.float64)}

    def test_places(self):
        """A layer inside a branch is found by both numbers, and each place is made once."""
        state = state_of()
        inner = state.place("1.2")

        assert inner.step.layer == Dense(6, 4)
        assert inner.outer is state.place("1")
        assert state.place("1.2") is inner
        assert [place.name for place in state.dense_places] == ["0", "1.0", "1.2", "2"]

    def test_stage(self):
        """Dense layers with only dense layers after them are stages of the tail, and no others."""
        state = state_of()

        assert [state.stage(place) for place in state.dense_places] == [None, None, None, 0]

    def test_batch_size(self, monkeypatch):
        """As many coordinates are evaluated together as fit the memory set aside, one at least."""
        state = state_of()
        monkeypatch.setattr("fastgrad.engines.network.state.PLAIN_BYTES", 10 * state.place("0").largest_new)

        assert [state.batch_size(state.place("0"), offsets) for offsets in (1, 3, 100)] == [10, 3, 1]
