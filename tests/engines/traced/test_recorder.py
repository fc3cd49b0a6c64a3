"""The recorder: what is declined, with the user's line and what to write instead."""

import math
import threading

import numpy as np
import pytest

from fastgrad.engines.traced import writer
from fastgrad.engines.traced.declined import Declined
from fastgrad.engines.traced.recorder import record
from fastgrad.problem.parameters import Parameters

W = np.array([1.0, 2.0, 3.0])
OUTSIDE = np.zeros(3)
RNG = np.random.default_rng(0)


def catches(w):
    """A cost that goes another way where a number is refused."""
    try:
        return math.exp(w[0])
    except Exception:
        return np.sum(w)


def caught_by_branches(w):
    """A cost that asks whether something is a number."""
    return np.sum(w) * int(w[0])


def in_threads(w):
    """A cost that works in a second thread."""
    found = []
    thread = threading.Thread(target=lambda: found.append(_tanh_or_error(w)))
    thread.start()
    thread.join()
    return np.sum(found[0])


def _tanh_or_error(w):
    try:
        return np.tanh(w)
    except Exception:
        return w


def raising_errors(w):
    """A cost that wants errors raised."""
    with np.errstate(all="raise"):
        try:
            return np.sum(np.log(w))
        except FloatingPointError:
            return 0.0 * np.sum(w)


DECLINED = {
    "math": (lambda w: math.exp(w[0]), r"test_recorder.py:\d+: float\(\) takes a number out of an array"),
    "float": (
        lambda w: float(w[0]) * 2,
        r"float\(\) takes a number out .*return float\(cost\) as the last step",
    ),
    "int": (caught_by_branches, r"int\(\) takes a number out"),
    "complex": (lambda w: complex(w[0]).real, r"complex\(\) takes a number out"),
    "item": (lambda w: w[0].item() + 1, r"\.item\(\) takes a number out"),
    "tolist": (lambda w: sum(w.tolist()), r"\.tolist\(\) takes a number out"),
    "the largest of numbers": (lambda w: max(map(float, w)), r"float\(\) takes a number out"),
    "the largest by a number": (lambda w: max([w[0], w[1]], key=float), r"float\(\) takes a number out"),
    "fsum": (lambda w: math.fsum(w), r"float\(\) takes a number out"),
    "caught": (catches, r"float\(\) takes a number out"),
    "writes to parameters": (
        lambda w: w.__setitem__(0, 1.0),
        "the cost writes to its parameters: work on a copy",
    ),
    "writes through a view": (lambda w: np.sum(np.negative(w[1:], out=w[1:])), "writes to its parameters"),
    "writes outside": (lambda w: np.sum(np.tanh(w, out=OUTSIDE)), "array made outside of the cost"),
    "adds outside": (lambda w: OUTSIDE.__iadd__(w), "array made outside of the cost"),
    "where without out": (lambda w: np.sum(np.log(w, where=w > 0)), "where= without out= .* say np.where"),
    "a file": (lambda w: np.save("x", w), "np.save cannot be recorded: it writes a file"),
    "memory": (lambda w: w.view(np.int64).sum(), r"x\.view cannot be recorded"),
    "shape": (lambda w: setattr(w, "shape", (1, 3)), r"x = x\.reshape"),
    "dtype object": (lambda w: np.sum(w.astype(object)), "an array of object cannot be recorded"),
    "vectorize": (lambda w: np.vectorize(math.exp)(w).sum(), "turned into a plain array"),
    "plain method": (lambda w: np.linspace(0.0, 1.0, 3).dot(w), r"X\.dot\(W\): say X @ W"),
    "its own": (
        lambda w: np.sum(np.apply_over_axes(lambda a, axis: a, w, 0)),
        "calls a function of the cost",
    ),
    "text": (lambda w: len(np.array2string(w)) * np.sum(w), "it makes text"),
    "an error": (
        lambda w: np.sum(w) + {}["missing"],
        "the cost raised KeyError while it was recorded: 'missing'",
    ),
    "an array": (lambda w: w * 2, r"the cost returns an array of shape \(3,\)"),
    "nothing": (lambda w: None, "the cost returns NoneType"),
    "a constant": (lambda w: 3.0, "the cost returns float that does not follow from the parameters"),
    "a recorded constant": (lambda w: np.zeros(1)[0], "the cost does not depend on its parameters"),
    "threads": (in_threads, "the cost works in several threads"),
    "errstate": (raising_errors, "np.errstate tells NumPy to raise"),
    "numbers": (lambda w: RNG.normal(w).sum(), "turned into a plain array|takes a number out"),
    "pickle": (lambda w: len(__import__("pickle").dumps(w)) * w[0], "the parameters are pickled"),
}


@pytest.mark.parametrize("name", DECLINED)
def test_what_is_declined(name):
    """What cannot be recorded is declined with the reason; the user's arrays stay as they were."""
    cost, reason = DECLINED[name]
    with pytest.raises(Declined, match=reason):
        record(cost, Parameters(W), ())
    assert W.tolist() == [1.0, 2.0, 3.0]
    assert OUTSIDE.tolist() == [0.0, 0.0, 0.0]


RETURNED = {
    "float": lambda w: float(np.sum(w)),
    "item": lambda w: np.sum(w).item(),
    "an inner function": lambda w: (lambda x: float(np.sum(x)))(w),
    "an array of one": lambda w: np.sum(w, keepdims=True),
    "one of the parameters": lambda w: w[1],
    "an array without axes": lambda w: np.asarray(np.sum(w)),
}


@pytest.mark.parametrize("name", RETURNED)
def test_what_may_be_returned(name):
    """The cost may return a float, an array of one entry, or a number of NumPy's."""
    cost = RETURNED[name]
    tape = record(cost, Parameters(W), ())
    assert float(np.squeeze(tape.replay([W * 2]))) == float(np.squeeze(cost(W * 2)))


def test_long_loops_are_cut_off(monkeypatch):
    """A loop of too many steps is declined, and is not run to its end."""
    monkeypatch.setattr(writer, "MOST_OPERATIONS", 50)
    steps = []

    def cost(w):
        for k in range(10**6):
            steps.append(k)
            w = w + 1
        return np.sum(w)

    with pytest.raises(
        Declined, match="more than 50 NumPy operations: write its loops as operations on whole arrays"
    ):
        record(cost, Parameters(W), ())
    assert len(steps) < 60


def test_large_values_are_cut_off(monkeypatch):
    """Values of too many bytes are declined; views take none."""
    monkeypatch.setattr(writer, "MOST_BYTES", 2**20)
    x = np.ones(2**14)
    with pytest.raises(Declined, match="arrays of more than 1 MiB in all"):
        record(lambda x: sum(np.tanh(x) for _ in range(10))[0], Parameters(x), ())
    record(lambda x: sum(x[k:].reshape(1, -1)[0, 0] for k in range(50)), Parameters(x), ())


def test_the_tape_keeps_its_numbers(rng):
    """What the cost writes to constants later does not reach the tape."""
    x = rng.array(3)

    def cost(w):
        data = x.copy()
        z = data * w
        data[:] = 0
        y = np.ones(3)
        z = z + y * w
        y *= 5
        return np.sum(z + y)

    tape = record(cost, Parameters(W), ())
    assert tape.replay([W * 3]) == cost(W * 3)


def test_who_asks_for_the_recording_is_no_place():
    """A function of NumPy's that is the cost itself has no line: the one that asks is no part of it."""
    [operation] = record(np.sum, Parameters(np.ones(3)), ()).operations
    assert str(operation.place) == ""
