"""The cost at perturbed points, from the tape or from the plain cost."""

import numpy as np
import pytest
from traced_cases import FLAT, NET, X, Y, engine_of, everything, flat_net

import fastgrad
from fastgrad.engines.traced.tape_costs import CACHE


def relu_by_if(p):
    """A kink that is a branch of Python's."""
    return np.sum(p[1:] ** 2) + (p[0] if p[0] > 0 else 0.0)


def test_guards():
    """Where a branch is taken another way the plain cost is called, so that no kink is smoothed over."""
    engine, plain = engine_of(relu_by_if, np.array([1e-9, 0.5, 2.0]))
    indices, offsets = everything(engine, 1e-6)
    assert np.array_equal(engine.values(indices, offsets)[0], plain.values(indices, offsets)[0])
    kinked = fastgrad.check_gradient(
        relu_by_if, lambda p: np.r_[1.0, 2 * p[1:]], np.array([0.0, 0.5, 2.0]), engine="traced"
    )
    assert not kinked.passed


@pytest.mark.parametrize(
    "cost",
    [
        lambda p: np.sum(np.sort(p) * np.arange(3.0)),
        lambda p: np.sum(p * (np.arange(3) == np.argmax(p))),
        lambda p: p[np.argmax(p)] ** 2 + np.max(p),
        lambda p: np.sum(p[p > 0.7]),
    ],
)
def test_order_that_changes(cost):
    """Ties, swaps and masks that a perturbation changes are followed, not taken from the recording."""
    engine, plain = engine_of(cost, np.array([0.7, 0.7 + 1e-7, 0.2]))
    indices, offsets = everything(engine, 1e-6)
    assert np.abs(engine.values(indices, offsets) - plain.values(indices, offsets)).max() < 1e-15


def test_not_finite():
    """NaN and infinity surface as they do in the plain cost."""
    engine, plain = engine_of(lambda p: np.sum(np.log(p) / (p - 0.5)), np.array([1e-5, 0.5 + 2e-4, 2.0]))
    indices, offsets = everything(engine, 1e-4)
    with np.errstate(all="ignore"):
        expected = plain.values(indices, offsets)
    found = engine.values(indices, offsets)
    assert np.array_equal(np.isnan(found), np.isnan(expected))
    assert np.isnan(found).any()


def test_a_singular_matrix():
    """Where the tape cannot be evaluated the plain cost is asked, and its exception quoted."""
    A = np.diag([1.0, 2.0])

    def cost(p):
        return np.sum(np.linalg.inv(A - np.diag(p)))

    engine, _ = engine_of(cost, np.array([0.5, 0.5]))
    values = engine.values(np.array([0, 1]), np.array([[0.5, 0.1], [0.1, 0.2]]))
    assert np.isnan(values[0, 0])
    assert np.isfinite(values[1]).all()
    assert "Singular" in engine.quoted


def test_float32():
    """A cost in float32 has no jump at the parameters, though a batch sums in another order."""
    single = {name: leaf.astype(np.float32) for name, leaf in NET.items()}
    data, labels = np.tile(X, (20, 1)).astype(np.float32), np.tile(Y, (20, 1)).astype(np.float32)

    def cost(p):
        z = np.maximum(data @ p["W1"] + p["b1"], 0) @ p["W2"] + p["b2"]
        return np.mean(np.sum((z - labels) ** 2, axis=1))

    engine, plain = engine_of(cost, single)
    indices = np.arange(engine.parameters.size)
    still = engine.values(indices, np.zeros((len(indices), 1)))
    assert np.abs(still - plain.baseline()).max() == 0


def test_batches_are_cut_alike():
    """How many points make a batch is a property of the block, whichever of its entries are moved first."""
    engine, _ = engine_of(flat_net, FLAT)
    other, _ = engine_of(flat_net, FLAT)
    engine.values(np.array([len(FLAT) - 1]), np.array([[1e-3]]))
    assert engine.costs.rows_of(0) == other.costs.rows_of(0)
    assert engine.costs.entries_of(0) == other.costs.entries_of(0)


SCALE = [1.0]


def scaled(x):
    """A cost whose scale others may change."""
    return np.sum(SCALE[0] * x**2)


def test_another_cost_by_now(monkeypatch):
    """A cost that has become another one since it was recorded is noticed."""
    monkeypatch.setitem(globals(), "SCALE", [1.0])
    engine, _ = engine_of(scaled, np.linspace(1, 2, 2000))
    offsets = np.full((2000, 1), 1e-3)
    engine.values(np.arange(2000), offsets)
    SCALE[0] = 1 + 1e-6
    with pytest.raises(fastgrad.InputError, match=r"where params\[1000\] is moved the cost is"):
        engine.values(np.arange(2000), offsets)


def test_batches_fit_where_a_sparse_change_is_needed_whole():
    """A product with itself needs every entry of what one entry changed: batches are small enough."""
    n = 100_000
    buffer = np.empty(n)

    def cost(w):
        buffer[:] = w
        return float(buffer @ buffer)

    engine, _ = engine_of(cost, np.ones(n))
    assert engine.costs.rows_of(0) * n * 8 <= CACHE
    assert engine.values(np.array([5]), np.array([[0.5]]))[0, 0] == pytest.approx(n - 1 + 1.5**2)
