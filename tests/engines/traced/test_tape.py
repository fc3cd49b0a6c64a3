"""The tape: what it prints, and that it is data."""

import pickle

import numpy as np

from fastgrad.engines.traced.recorder import record
from fastgrad.engines.traced.tape import Method, Ref, is_alike, refs, substituted
from fastgrad.problem.parameters import Parameters

X = np.arange(6.0).reshape(3, 2)


def cost(p):
    """A cost with a guard, a constant, and an operation that nothing depends on."""
    z = X @ p["w"]
    np.cos(z)
    if z[0] > 1e9:
        return np.sum(z)
    return np.sum(np.tanh(z)) + 2.0


PARAMETERS = Parameters({"w": np.array([0.5, -0.25])})


def test_lines_say_what_is_done_and_where():
    """Each line has the operation, what it gives, and the user's file and line; guards; the result."""
    lines = list(record(cost, PARAMETERS, ()).lines())
    assert lines[0] == "%0 = parameters w  float64[2]"
    assert lines[1].startswith("%1 = matmul(constant float64[3, 2], %0)")
    assert lines[1].endswith("float64[3]  test_tape.py:16")
    assert any(line.startswith("guard %") for line in lines)
    assert lines[-1] == "return %7"
    assert not any("cos(" in line for line in lines)


def test_a_tape_is_data():
    """It can be pickled, and gives the same afterwards."""
    tape = record(cost, PARAMETERS, ())
    again = pickle.loads(pickle.dumps(tape))
    leaves = [np.array([0.25, 1.0])]
    assert again.replay(leaves) == tape.replay(leaves) == cost({"w": leaves[0]})


def test_a_guard_that_differs():
    """Where a guard differs, there is no value."""
    assert record(cost, PARAMETERS, ()).replay([np.array([1e10, 1e10])]) is None


def test_another_shape():
    """Where an operation gives another shape, there is no value."""
    tape = record(lambda w: np.sum(np.unique(np.round(w))), Parameters(np.array([1.2, 2.2, 3.2])), ())
    assert tape.replay([np.array([1.3, 2.3, 3.3])]) == 6.0
    assert tape.replay([np.array([1.3, 1.2, 3.3])]) is None


def test_references_in_arguments():
    """References are found and replaced inside tuples, lists and dicts."""
    tree = (Ref(1), [2.0, (Ref(3),)], {"axis": Ref(1)})
    assert [ref.number for ref in refs(tree)] == [1, 3, 1]
    assert substituted(tree, lambda number: 10 * number) == (10, [2.0, (30,)], {"axis": 10})


def test_a_method_of_a_ufunc():
    """A method has a name, is equal to itself, and computes."""
    method = Method(np.add, "reduce")
    assert method.__name__ == "add.reduce"
    assert method == pickle.loads(pickle.dumps(method))
    assert method(X, axis=0).tolist() == [6.0, 9.0]


def test_alike():
    """Alike are values of one shape and dtype."""
    assert is_alike(np.float64(1), np.zeros(()))
    assert not is_alike(1, np.zeros(()))
    assert not is_alike(np.zeros(1), np.zeros(()))
