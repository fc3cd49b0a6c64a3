"""NumPy's modules while a cost is recorded: what is replaced, for whom, and that it is put back."""

import threading
from types import ModuleType

import numpy as np
import pytest
import scipy.special
from numpy import asarray as as_an_array
from numpy import zeros as zeros_of_numpy
from scipy.special import logsumexp

from fastgrad.engines.traced.declined import Declined
from fastgrad.engines.traced.numpy_functions import MADE, OTHERS, READ, TAKING_LISTS, recording
from fastgrad.engines.traced.recorded_array import Recorded
from fastgrad.engines.traced.recorder import record
from fastgrad.engines.traced.writer import Recorder
from fastgrad.problem.parameters import Parameters

W = Parameters(np.array([1.0, 2.0, 3.0]))
MODULES = (np, np.linalg, scipy.special)


def as_they_are():
    """All names in NumPy's modules, and in this one."""
    return [dict(vars(module)) for module in MODULES], dict(globals())


def test_everything_is_put_back():
    """After a recording each name stands for what it stood for, and here too."""
    before = as_they_are()
    record(lambda w: np.sum(w), W, ())
    assert as_they_are() == before


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit, Declined])
def test_everything_is_put_back_after_an_exception(error):
    """So it is after an exception of any kind."""
    before = as_they_are()

    def cost(w):
        assert np.zeros is not before[0][0]["zeros"]
        raise error("stop")

    with pytest.raises((Declined, KeyboardInterrupt, SystemExit)):
        record(cost, W, ())
    assert as_they_are() == before


def test_nested_recordings_are_put_back():
    """So it is where one recording runs within another, which is declined."""
    before = as_they_are()

    def cost(w):
        inner = record(lambda v: np.sum(np.zeros(3) + v), W, ())
        return np.sum(w) * len(inner.operations)

    assert record(cost, W, ()).replay([np.ones(3)]) == 6.0
    with pytest.raises(Declined, match="inside another one"):
        record(lambda w: record(lambda v: np.sum(v * w), W, ()) and np.sum(w), W, ())
    assert as_they_are() == before


def test_other_threads_see_plain_functions():
    """A thread that works while a cost is recorded gets plain arrays, and the same numbers."""
    found, go, done = [], threading.Event(), threading.Event()

    def work():
        go.wait(10)
        found.extend(
            [np.zeros(3), np.asarray([1.0]), np.sum([1.0, 2.0]), zeros_of_numpy(2), logsumexp([0.0, 0.0])]
        )
        done.set()

    thread = threading.Thread(target=work)
    thread.start()

    def cost(w):
        go.set()
        assert done.wait(10)
        return np.sum(w + np.zeros(3))

    record(cost, W, ())
    thread.join()
    assert [type(x) for x in found] == [np.ndarray, np.ndarray, np.float64, np.ndarray, np.float64]


def test_names_that_were_imported():
    """Functions under a name of the cost's module are recorded as well."""

    def cost(w):
        z = zeros_of_numpy(3)
        z[1:] = w[1:]
        return logsumexp(as_an_array([w[0], z[1], z[2]]))

    point = np.array([0.5, 0.25, 1.0])
    assert record(cost, W, ()).replay([point]) == pytest.approx(logsumexp(point), rel=1e-15)


def test_a_function_that_was_kept():
    """A function that the cost kept from its recording is the plain one afterwards."""
    kept = []
    record(lambda w: (kept.append((np.zeros, np.array, np.sum)), np.sum(w))[1], W, ())
    zeros, array, total = kept[0]
    assert type(zeros(2)) is np.ndarray
    assert type(array([1.0, 2.0])) is np.ndarray
    assert total([1.0, 2.0]) == 3.0


def test_replaced_functions_keep_their_names():
    """What is replaced has the name and the text of the original."""
    with recording(Recorder([np.ones(2)])):
        for name in (*MADE, *READ, *(n for n in TAKING_LISTS if "." not in n)):
            function = getattr(np, name)
            assert function.__name__ == function.__wrapped__.__name__
            assert function.__doc__ == function.__wrapped__.__doc__


def test_libraries_that_are_not_loaded_are_not_loaded(monkeypatch):
    """A library is looked at only where the cost has loaded it."""
    monkeypatch.setattr(
        "sys.modules", {k: v for k, v in __import__("sys").modules.items() if k not in OTHERS}
    )
    record(lambda w: np.sum(w), W, ())


def test_libraries_make_plain_arrays():
    """A function of a library that calls np.zeros gets a plain array."""
    kinds = []

    def cost(w):
        kinds.append(type(np.zeros(2)))
        kinds.append(type(scipy.special.softmax([1.0, 2.0])))
        kinds.append(type(np.polynomial.polynomial.polyfromroots([1.0, 2.0])))
        return np.sum(w)

    record(cost, W, ())
    assert kinds == [Recorded, np.ndarray, np.ndarray]


def test_odd_modules(monkeypatch):
    """Modules without a file, and things among them that are none, do no harm."""
    monkeypatch.setitem(__import__("sys").modules, "odd_module", ModuleType("odd_module"))
    monkeypatch.setitem(__import__("sys").modules, "no_module", object())
    record(lambda w: np.sum(w), W, ())
