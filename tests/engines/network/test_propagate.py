"""Changes carried through the layers by rules give the values of the full network."""

from __future__ import annotations

import numpy as np
import pytest
from network_cases import NETWORKS, parameters_of, textbook

from fastgrad.engines.network.propagate import changes_by_rules
from fastgrad.engines.network.state import NetworkState
from fastgrad.problem.parameters import Parameters


@pytest.mark.parametrize(("net", "X", "Y"), NETWORKS[8:])
def test_are_those_of_the_full_network(net, X, Y):
    """The change of the loss for a few entries of each block is that of evaluating everything anew."""
    params = parameters_of(net)
    state, parameters = NetworkState(net, params, X, Y), Parameters(params)
    offsets = np.array([[-1e-3, 2e-3], [0.5, 1e-5]])
    for block in parameters.blocks:
        place, own = state.locate(block.name)
        inside = np.array([0, block.size - 1])
        found = changes_by_rules(state, place, own, inside, offsets)
        whole = textbook(net, params, X, Y, block.start + inside, offsets) - net.cost(params, X, Y)
        if net.l2 and own == "weight":  # the penalty's change is added elsewhere
            w = params[block.name].reshape(-1)[inside][:, None]
            whole = whole - net.l2 * offsets * (w + 0.5 * offsets)
        np.testing.assert_allclose(found, whole, rtol=0, atol=1e-12)
