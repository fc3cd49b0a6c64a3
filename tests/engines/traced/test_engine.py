"""The traced engine: its values are those of the plain cost."""

import pickle

import numpy as np
import pytest
from traced_cases import (
    FLAT,
    NET,
    X,
    Y,
    engine_of,
    everything,
    flat_net,
    net,
    net_with_penalty,
    on_one_worker,
    transposed_net,
)

import fastgrad
from fastgrad.engines.traced import engine as module

COSTS = {
    "net": (net, NET),
    "net with penalty": (net_with_penalty, NET),
    "flat net": (flat_net, FLAT),
    "transposed net": (transposed_net, NET),
    "penalty inside": (lambda p: np.log(1 + np.sum(np.tanh(X @ p) ** 2)) + np.sum(p**4), NET["W1"]),
    "tied": (lambda p: np.sum(np.tanh(X @ p) @ p.T * X), NET["W1"]),
    "centred": (lambda p: np.sum(np.tanh((lambda z: z - z.mean(0))(X @ p)) ** 3), NET["W1"]),
}


@pytest.mark.parametrize("name", COSTS)
def test_values(name):
    """Values from batches are those of the cost to rounding."""
    engine, plain = engine_of(*COSTS[name])
    indices, offsets = everything(engine)
    expected = plain.values(indices, offsets)
    assert np.abs(engine.values(indices, offsets) - expected).max() <= 2.0**-46 * engine.scale


@pytest.fixture
def eager(monkeypatch):
    """Tables are made of the smallest layer."""
    monkeypatch.setattr(module, "WORK_OF_A_TABLE", -1e9)
    monkeypatch.setattr(module, "SAVING", 0)


@pytest.mark.parametrize("name", COSTS)
def test_values_from_tables(name, eager):
    """Values from tables are those of the cost to rounding, and tables are made only where they can be."""
    engine, plain = engine_of(*COSTS[name])
    indices, offsets = everything(engine, 1e-6)
    prepared = engine.prepared(indices, offsets, on_one_worker)
    assert bool(prepared.tables) == (name not in ("tied", "centred"))
    expected = plain.values(indices, offsets)
    assert np.abs(prepared.values(indices, offsets) - expected).max() <= 2.0**-46 * engine.scale


def test_a_table_is_not_believed(eager, monkeypatch):
    """A table whose values are not those of the tape is dropped."""
    engine, _ = engine_of(net, NET)
    indices, offsets = everything(engine, 1e-6)
    monkeypatch.setattr(
        module.UnitTable, "values", lambda self, feature, unit, offsets: np.full(offsets.shape, 1e-9)
    )
    assert not engine.prepared(indices, offsets, on_one_worker).tables


def test_any_cut():
    """Values do not depend on where coordinates are cut into chunks, nor on the number of workers."""
    engine, _ = engine_of(net_with_penalty, NET)
    indices, offsets = everything(engine)
    whole = engine.values(indices, offsets)
    for cut in (1, 7, 31):
        parts = [
            engine.values(indices[k : k + cut], offsets[k : k + cut]) for k in range(0, len(indices), cut)
        ]
        assert np.abs(np.concatenate(parts) - whole).max() <= 2.0**-50 * engine.scale


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


def test_pickle():
    """An engine that is sent away gives the same values."""
    engine, _ = engine_of(net, NET)
    indices, offsets = everything(engine)
    tape = pickle.loads(pickle.dumps(engine.tape))
    assert np.array_equal(tape.replay([x.copy() for x in NET.values()]), net(NET))
    assert list(tape.lines()) == list(engine.tape.lines())
    assert np.isfinite(engine.for_worker().values(indices, offsets)).all()


def test_workers_take_turns():
    """The plain cost, whose parameters are moved in place, is called by one worker at a time."""
    engine, _ = engine_of(net, NET)
    indices, offsets = everything(engine)
    twins = [engine.for_worker(), engine.prepared(indices, offsets, on_one_worker)]
    twins.append(engine.through_nodes("nodes", indices).for_worker())
    assert all(twin._lock is engine._lock for twin in twins)


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
