"""The sweep through the dense tail: changes of one unit, lane by lane, are those of the whole network."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from fastgrad import networks
from fastgrad.engines.network.dense_tail import dense_tail
from fastgrad.engines.network.layer_rules import bind_layers
from fastgrad.kernels.dense_tail import _add_product, propagate

SAMPLES = 6
RNG = np.random.default_rng(2)


def tanh_network(sizes=(3, 4, 2)):
    """A tail of dense layers with tanh between them, its network, parameters, values and labels."""
    layers = [networks.Dense(sizes[0], sizes[1])]
    for inputs, outputs in pairwise(sizes[1:]):
        layers += [networks.Tanh(), networks.Dense(inputs, outputs)]
    net = networks.Network(layers, networks.SoftmaxCrossEntropy())
    params, labels = net.initial_parameters(0), RNG.integers(0, sizes[-1], SAMPLES)
    values = net.chain.forward(params, RNG.normal(size=(SAMPLES, sizes[0])))
    return net, params, values, labels, dense_tail(net.loss, bind_layers(net.chain, params), values, labels)


class TestAddProduct:
    @pytest.mark.parametrize("count", [1, 2, 3, 4])
    @pytest.mark.parametrize("columns", [1, 2, 5])
    def test_is_the_product(self, count, columns):
        """Up to four rows times their weights are added to each output, and no lane beyond is touched."""
        weights, rows = RNG.normal(size=(7, columns)), RNG.normal(size=(4, 8))
        out = np.ones((columns, 8))

        _add_product(weights, 2, count, rows, out, 6)

        np.testing.assert_allclose(out[:, :6], 1 + weights[2 : 2 + count].T @ rows[:count, :6], rtol=1e-13)
        assert (out[:, 6:] == 1).all()


class TestPropagate:
    @pytest.mark.parametrize(("sizes", "stage"), [((3, 4, 2), 0), ((3, 4, 2), 1), ((3, 4, 5, 2), 0)])
    def test_is_the_change_of_the_loss(self, sizes, stage):
        """Each lane gets the change of its own sample's loss when one pre-activation changes by du."""
        net, params, values, labels, tail = tanh_network(sizes)
        scratch, unit = tail._scratch(), 1
        du = 1e-3 * RNG.normal(size=SAMPLES)
        scratch.du[:SAMPLES] = du

        propagate(tail.packed, scratch, stage, unit, SAMPLES)

        position = tail.positions[stage]
        moved = values[position + 1].copy()
        moved[:, unit] += du
        after = net.chain.forward(params, moved, position + 1)[-1]
        expected = SAMPLES * (net.loss.each(after, labels) - net.loss.each(values[-1], labels))
        np.testing.assert_allclose(scratch.total[:SAMPLES], expected, rtol=1e-9, atol=1e-15)

    def test_nothing_moved(self):
        """A unit that does not change leaves each loss exactly where it is."""
        _, _, _, _, tail = tanh_network()
        scratch = tail._scratch()
        scratch.du[:] = 0.0

        propagate(tail.packed, scratch, 0, 0, SAMPLES)

        assert (scratch.total[:SAMPLES] == 0).all()
