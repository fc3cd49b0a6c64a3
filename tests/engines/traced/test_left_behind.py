"""What a recording leaves in the user's objects."""

import gc

import numpy as np
import pytest

from fastgrad.engines.traced.declined import Declined
from fastgrad.engines.traced.left_behind import made_plain
from fastgrad.engines.traced.recorded_array import Recorded
from fastgrad.engines.traced.recorder import record
from fastgrad.engines.traced.writer import Recorder
from fastgrad.problem.parameters import Parameters


class Net:
    """A network as students write it: it keeps what it computed."""

    def __init__(self):
        self.cache, self.history, self.seen = {}, [], None

    def cost(self, w):
        """The cost, which leaves arrays in attributes, dicts, lists and closures."""
        self.w = w
        self.a = np.tanh(w)
        self.cache["a"] = self.a[1:]
        self.history.append((self.a * 2).reshape(1, -1))
        total = np.sum(self.a)
        self.seen = lambda: total
        return total


def is_plain(array, expected):
    """Whether something is an array of NumPy's with these numbers."""
    return isinstance(array, np.ndarray) and np.array_equal(array, expected)


def test_objects_hold_plain_arrays_afterwards():
    """Attributes, dicts, lists and closures hold plain arrays with the numbers at the parameters."""
    net, w = Net(), np.array([1.0, 2.0, 3.0])
    record(net.cost, Parameters(w), ())
    assert is_plain(net.w, w)
    assert is_plain(net.a, np.tanh(w))
    assert is_plain(net.cache["a"], np.tanh(w)[1:])
    assert is_plain(net.history[0], 2 * np.tanh(w)[None])
    assert is_plain(net.seen(), np.tanh(w).sum())


def test_so_they_do_where_the_cost_is_declined():
    """So it is where the cost was declined, or raised."""
    net, w = Net(), np.array([1.0, 2.0, 3.0])
    for fails in (lambda w: float(net.cost(w)) + 1, lambda w: net.cost(w) + np.zeros(2)):
        with pytest.raises(Declined):
            record(fails, Parameters(w), ())
        assert is_plain(net.a, np.tanh(w))
        assert is_plain(net.w, w)


def test_plain_arrays_can_be_written_to():
    """What is left can be written to, and the tape keeps its own numbers."""
    net, w = Net(), np.array([1.0, 2.0, 3.0])
    tape = record(net.cost, Parameters(w), ())
    before = [np.array(b) for b in tape.base]
    net.a += 5
    net.w[:] = 0
    assert all(np.array_equal(a, b) for a, b in zip(before, tape.base, strict=True))
    assert np.array_equal(w, [1.0, 2.0, 3.0])


def test_what_cannot_be_replaced_behaves_as_plain():
    """An array in a tuple stays recorded, and behaves as a plain one: functions, numbers, writes, views."""
    kept = []
    record(
        lambda w: (kept.append((w * 2, np.zeros(3))), np.sum(w))[1], Parameters(np.array([1.0, 2.0, 3.0])), ()
    )
    ((array, zeros),) = kept
    assert isinstance(array, Recorded)
    assert isinstance(np.exp(array), np.ndarray)
    assert isinstance(array[1:] @ array[1:], np.generic)
    assert isinstance(np.concatenate([array, [1.0]]), np.ndarray)
    assert (float(array[0]), int(array[1]), array.tolist(), array.sum()) == (2.0, 4, [2.0, 4.0, 6.0], 12.0)
    array[0] = 5.0
    array += 1
    zeros += array
    np.add.at(zeros, [0, 0], 1.0)
    np.multiply(array, 2, out=array)
    assert np.asarray(array).tolist() == [12.0, 10.0, 14.0]
    assert np.asarray(zeros).tolist() == [8.0, 5.0, 7.0]


def test_an_array_of_an_earlier_recording_is_a_constant():
    """A later recording takes an array that is left from an earlier one for a constant."""
    kept = []
    w = Parameters(np.array([1.0, 2.0]))

    def cost(w):
        kept.append((w * 3,))
        return np.sum(kept[0][0] * w + w * kept[0][0])

    record(cost, w, ())
    tape = record(cost, w, ())
    assert tape.replay([np.array([1.0, 2.0])]) == 2 * (3 + 12)
    assert tape.replay([np.array([2.0, 2.0])]) == 2 * (6 + 12)


def test_nothing_is_looked_for_where_nothing_is_left(monkeypatch):
    """Where no recorded array is left, the heap is not searched."""
    monkeypatch.setattr(gc, "get_referrers", lambda *_: pytest.fail("searched"))
    recorder = Recorder([np.ones(2)])
    array = Recorded(recorder, recorder.base[0], 0)
    recorder.closed = True
    del array
    made_plain(recorder.made)
    record(lambda w: np.sum(np.tanh(w)), Parameters(np.ones(3)), ())


class Keeper:
    """Keeps the last cost in its class."""

    latest = None

    def __call__(self, w):
        """The sum of squares; Python remembers where it found the attribute."""
        Keeper.latest = np.sum(w**2)
        return Keeper.latest


def test_a_class_holds_plain_arrays_afterwards():
    """So does an attribute of a class, whose dict Python does not look at again."""
    record(Keeper(), Parameters(np.array([1.0, 2.0])), ())
    assert is_plain(Keeper.latest, np.float64(5.0))
