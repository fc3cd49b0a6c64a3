"""Where weights enter a cost."""

import numpy as np
import pytest
from traced_cases import FLAT, NET, X, batch_of, flat_net, net, net_with_penalty, transposed_net

from fastgrad.engines.traced.sites import NOWHERE, sites_of, stands_alone


def test_of_a_network():
    """Each weight and bias has a site, and those of a layer move the same value."""
    sites = sites_of(batch_of(net, NET))
    assert [site.leaf for site in sites] == [0, 1, 2, 3]
    assert len({site.z for site in sites}) == 2
    assert all(site.can_have_table for site in sites)


@pytest.mark.parametrize(("cost", "params"), [(net, NET), (flat_net, FLAT), (transposed_net, NET)])
def test_what_a_weight_moves(cost, params):
    """A weight moves its unit of z by its feature, wherever it stands in the parameters."""
    batch = batch_of(cost, params)
    tape = batch.tape
    for site in sites_of(batch):
        inside = np.flatnonzero(site.place != NOWHERE)
        feature, unit = site.feature_and_unit(inside)
        for k in (0, len(inside) // 2, len(inside) - 1):
            values = dict(zip(tape.inputs, [base.copy() for base in tape.base], strict=False))
            values[site.leaf].reshape(-1)[inside[k]] += 0.5
            for position, operation in enumerate(tape.operations):
                found = operation.evaluate(values.__getitem__)
                values.update(zip(operation.outputs, found, strict=True))
                if position == max(site.passed):
                    break
            moved = (values[site.z] - tape.base[site.z]).reshape(-1)
            expected = np.zeros(moved.shape)
            expected[site.flat(np.arange(site.rows), unit[k])] = 0.5 * site.x[:, feature[k]]
            assert np.allclose(moved, expected, atol=1e-14)


def test_of_a_vector():
    """The parts of one vector that are weights are told from others."""
    sites = sites_of(batch_of(flat_net, FLAT))
    covered = sum((site.place != NOWHERE).astype(int) for site in sites)
    assert covered.tolist() == [1] * len(FLAT)


@pytest.mark.parametrize(
    ("cost", "alone"),
    [
        (net, True),
        (net_with_penalty, True),  # a penalty has no part in the product
        (lambda p: np.sum(np.tanh(X @ p["W1"] + np.sum(p["W1"]))), False),
        (lambda p: np.sum(np.tanh(np.tanh(X @ p["W1"]) * p["W1"][0])), False),
        (lambda p: np.sum(np.tanh(X @ p["W1"]) @ p["W1"].T), False),
    ],
)
def test_stands_alone(cost, alone):
    """A weight that is used within what a table would stand for is seen to be."""
    batch = batch_of(cost, {"W1": NET["W1"]} if cost not in (net, net_with_penalty) else NET)
    site = next(s for s in sites_of(batch) if s.leaf == 0)
    assert (site.can_have_table and stands_alone(batch, site)) == alone


def test_samples_of_several_rows():
    """Rows that meet within a sample are one sample: tokens of a sequence, samples first or last."""
    W = np.round(np.random.default_rng(1).normal(size=(6, 4)), 2)

    def first(p):
        h = np.tanh(X @ p).reshape(3, 4, 4)
        return np.sum((h - h.mean(axis=1, keepdims=True)) ** 2)

    def last(p):
        h = np.tanh(X @ p).reshape(4, 3, 4)
        return np.sum((h - h.mean(axis=0, keepdims=True)) ** 2)

    for cost, grouping in ((first, np.arange(12) // 4), (last, np.arange(12) % 3)):
        (site,) = sites_of(batch_of(cost, W))
        assert site.samples == 3
        assert np.array_equal(site.grouping, grouping)
        assert not site.can_have_table
