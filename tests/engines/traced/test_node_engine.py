"""Units of products, moved row by row."""

import numpy as np
import pytest
from traced_cases import COSTS, NET, X, engine_of, net, transposed_net

from fastgrad.engines.python import PythonEngine
from fastgrad.engines.traced.node_engine import NodeEngine, node_values


def cost_of_nodes(z, b2=NET["b2"], W2=NET["W2"]):
    """The network from its first layer's units on."""
    from traced_cases import softmax_loss

    return softmax_loss(np.tanh(z) @ W2 + b2)


@pytest.mark.parametrize("cost", [net, transposed_net])
def test_values(cost):
    """The cost where one unit is moved in one sample."""
    engine, _ = engine_of(cost, NET)
    site = next(s for s in engine.site_tables.sites if s.leaf == 0)
    nodes = NodeEngine(engine.costs.batch, site, 8)
    z = X @ NET["W1"] + NET["b1"]
    assert np.allclose(node_values(engine.costs.batch, site).reshape(5, 12), z.T)
    indices = np.array([0, 1, 13, 59])
    found = nodes.values(indices, np.tile([-1e-3, 1e-3], (4, 1)))
    for k, index in enumerate(indices):
        unit, sample = divmod(int(index), 12)
        for s, offset in enumerate((-1e-3, 1e-3)):
            moved = z.copy()
            moved[sample, unit] += offset
            assert found[k, s] == pytest.approx(cost_of_nodes(moved), rel=1e-14)


def test_any_cut():
    """Values do not depend on which nodes are evaluated together."""
    engine, _ = engine_of(net, NET)
    site = next(s for s in engine.site_tables.sites if s.leaf == 0)
    indices, offsets = np.arange(60), np.tile([-1e-3, 1e-3], (60, 1))
    whole = NodeEngine(engine.costs.batch, site, 64).values(indices, offsets)
    one = NodeEngine(engine.costs.batch, site, 2)
    parts = np.concatenate([one.values(indices[k : k + 7], offsets[k : k + 7]) for k in range(0, 60, 7)])
    assert np.abs(whole - parts).max() <= 4e-16


def test_summands():
    """What each sample adds to the sum, less what it adds at the parameters."""
    engine, _ = engine_of(net, NET)
    site = next(s for s in engine.site_tables.sites if s.leaf == 0)
    nodes = NodeEngine(engine.costs.batch, site, 8, summand=True)
    found = nodes.values(np.arange(12), np.full((12, 1), 1e-3))
    z = X @ NET["W1"] + NET["b1"]
    z[:, 0] += 1e-3
    change = (cost_of_nodes(z) - net(NET)) * -12  # the mean is a sum over samples, divided
    assert found.sum() == pytest.approx(change, rel=1e-9)


@pytest.mark.parametrize("name", COSTS)
def test_one_at_a_time(name):
    """All nodes of all sites give what the cost gives of the nodes, evaluated one point at a time."""
    engine, _ = engine_of(*COSTS[name])
    for site in engine.site_tables.sites:
        nodes = NodeEngine(engine.costs.batch, site, 16)
        plainly = PythonEngine(nodes.cost, nodes.parameters)
        indices = np.arange(nodes.parameters.size)
        offsets = np.tile([-1e-3, 1e-5], (len(indices), 1))
        off = np.abs(nodes.values(indices, offsets) - plainly.values(indices, offsets))
        assert off.max() <= 2.0**-46 * engine.costs.scale
