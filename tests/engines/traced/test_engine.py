"""The traced engine: its values are those of the plain cost."""

import pickle

import numpy as np
import pytest
from traced_cases import COSTS, NET, engine_of, everything, net, net_with_penalty, on_one_worker


@pytest.mark.parametrize("name", COSTS)
def test_values(name):
    """Values from batches are those of the cost to rounding."""
    engine, plain = engine_of(*COSTS[name])
    indices, offsets = everything(engine)
    expected = plain.values(indices, offsets)
    assert np.abs(engine.values(indices, offsets) - expected).max() <= 2.0**-46 * engine.costs.scale


def test_any_cut():
    """Values do not depend on where coordinates are cut into chunks, nor on the number of workers."""
    engine, _ = engine_of(net_with_penalty, NET)
    indices, offsets = everything(engine)
    whole = engine.values(indices, offsets)
    for cut in (1, 7, 31):
        parts = [
            engine.values(indices[k : k + cut], offsets[k : k + cut]) for k in range(0, len(indices), cut)
        ]
        assert np.abs(np.concatenate(parts) - whole).max() <= 2.0**-50 * engine.costs.scale


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
    assert all(twin.costs is engine.costs for twin in twins)


def test_what_the_cost_raised():
    """What the plain cost raised outside its domain is known to the engine, and said in the report."""

    def cost(p):
        if p[0] > 1:
            raise ValueError("p[0] is too large")
        return np.sum(p**2)

    engine, _ = engine_of(cost, np.array([1.0, 2.0]))
    assert np.isnan(engine.for_worker().values(np.array([0]), np.array([[0.5]])))
    assert engine.raised == ["ValueError: p[0] is too large"]
    assert engine.quoted == engine.raised[0]
