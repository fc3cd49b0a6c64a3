"""Perturbations carried by NumPy rules, a batch at a time."""

from __future__ import annotations

import numpy as np
import pytest
from network_cases import NETWORKS, parameters_of

from fastgrad.engines.network.engine import NetworkEngine
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
