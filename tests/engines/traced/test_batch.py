"""A tape at many points at a time."""

import numpy as np
import pytest
from traced_cases import FLAT, NET, batch_of, flat_net, net

from fastgrad.engines.traced.changes import Dense, Ragged, Sparse


def test_what_changes():
    """Only what depends on the moved parameter is computed, few entries as long as they are few."""
    batch = batch_of(net, NET)
    seen = {}
    change = Sparse(np.zeros((3, 1), np.intp), np.array([[0.1], [0.2], [0.3]]))
    batch.evaluate({3: change}, seen=lambda number, found: seen.update({number: found}))  # b2
    first = next(k for k, o in enumerate(batch.tape.operations) if 3 in o.inputs)
    computed = {number for o in batch.tape.operations[:first] for number in o.outputs}
    assert not computed & seen.keys()
    seen.clear()
    batch.evaluate({0: change}, seen=lambda number, found: seen.update({number: found}))  # W1
    kinds = [type(found).__name__ for found in seen.values()]
    assert kinds[:3] == ["Sparse"] * 3
    assert "Dense" in kinds


def test_cost():
    """The cost at each point; at all points the same where nothing changed."""
    batch = batch_of(net, NET)
    new = NET["W1"][0, 0] + np.array([[0.0], [0.5]])
    states = batch.evaluate({0: Sparse(np.zeros((2, 1), np.intp), new)})
    found = batch.cost(states, 2)
    moved = {**NET, "W1": NET["W1"] + 0.5 * np.eye(6, 5) * (np.arange(6) == 0)[:, None]}
    assert found == pytest.approx([net(NET), net(moved)], rel=1e-14)
    assert batch.cost({}, 3).tolist() == [float(batch.tape.base[batch.tape.output])] * 3


def test_ragged():
    """Points that change different numbers of entries are told apart."""
    batch = batch_of(flat_net, FLAT)
    where = np.array([[0], [40]])  # a weight of the first layer, and one of the second
    with pytest.raises(Ragged) as raised:
        batch.evaluate({0: Sparse(where, FLAT[where])})
    assert len(set(raised.value.groups.tolist())) == 2


def test_strayed():
    """Guards tell at which points the cost may take another way."""
    batch = batch_of(lambda p: np.sum(p**2) if p[0] > 0 else np.sum(p), np.array([1.0, 2.0]))
    states = batch.evaluate({0: Sparse(np.zeros((2, 1), np.intp), np.array([[-1.0], [0.5]]))})
    assert batch.strayed(states, 2).tolist() == [True, False]
    states = batch.evaluate({0: Dense(np.array([[0.5, 0.0], [-0.5, 0.0]]))})
    assert batch.strayed(states, 2).tolist() == [False, True]


def test_skipped():
    """What is skipped is not computed; what was given for it is taken."""
    batch = batch_of(net, NET)
    output = batch.tape.output
    last = len(batch.tape.operations) - 1
    states = batch.evaluate({output: Dense(np.array([7.0, 8.0]))}, skipped=frozenset({last}))
    assert batch.cost(states, 2).tolist() == [7, 8]
