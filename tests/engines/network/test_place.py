"""A layer where it stands, and what a perturbation of it makes new."""

from __future__ import annotations

import numpy as np
import pytest
from network_cases import CE, FLAT, LABELS, NETWORKS, parameters_of

from fastgrad.engines.network.engine import NetworkEngine
from fastgrad.engines.network.layer_rules import Change
from fastgrad.engines.network.place import largest_of_each, split_name
from fastgrad.engines.network.state import NetworkState
from fastgrad.networks import BatchNorm, Dense, Dropout, Network, Residual, Tanh
from fastgrad.problem.parameters import Parameters


def test_largest_new():
    """A convolution's weight makes one channel new, until a layer after it makes everything new."""
    net, X, Y = NETWORKS[19]  # a convolution of three filters, pooled, flattened, and three outputs
    state = NetworkEngine(net.cost, Parameters(parameters_of(net)), (X, Y), net).state
    channel = state.values[1].nbytes / 3
    assert state.place("0").largest_new == channel
    assert channel > state.values[-1].nbytes == state.place("3").largest_new


class TestPlace:
    def nested(self):
        """The state of a network with a branch, and normalisation and dropout behind it."""
        branch = [Dense(4, 6), Tanh(), Dense(6, 4)]
        layers = [Dense(5, 4), Residual(branch), BatchNorm(4), Dense(4, 4), Dropout(0.5), Dense(4, 3)]
        net = Network(layers, CE)
        return NetworkState(net, parameters_of(net), FLAT, LABELS)

    def test_split_name(self):
        """A parameter's name is its layer's place and its own name."""
        assert split_name("3.weight") == ("3", "weight")
        assert split_name("3.1.bias") == ("3.1", "bias")

    def test_what_comes_later(self):
        """The layers of the branch and those behind it say what becomes of samples."""
        state = self.nested()

        places = [state.place(name) for name in ("0", "1.0", "3", "5")]
        assert [place.samples_stay_apart for place in places] == [False, False, True, True]
        assert [place.dropout_follows for place in places] == [True, True, True, False]

    @pytest.mark.parametrize("name", ["0", "1.0", "1.2", "3", "5"])
    def test_onward(self, name):
        """A change of a layer's output, carried on, is the network's output for it, branches included."""
        state = self.nested()
        place = state.place(name)
        new = place.z[None, :, 1:3] + 0.5

        found = place.onward(Change(1, 3, new)).everything(state.values[-1]).new[0]

        moved = place.z.copy()
        moved[:, 1:3] += 0.5
        while place is not None:
            for step in place.chain[place.position + 1 :]:
                moved = step.layer.forward(step.p, moved)
            moved = moved if place.outer is None else moved + place.outer.x
            place = place.outer
        np.testing.assert_allclose(found, moved, rtol=1e-11, atol=1e-12)

    def test_work_after(self):
        """A layer nearer to the output has less work after it."""
        work = [self.nested().place(name).work_after for name in ("0", "3", "5")]

        assert work == sorted(work, reverse=True)


def test_largest_of_each():
    """The largest magnitude of each row; NaN stays."""
    rows = np.array([[1.0, -3.0], [0.0, 0.0], [np.nan, 1.0]])

    np.testing.assert_array_equal(largest_of_each(rows), [3.0, 0.0, np.nan])
