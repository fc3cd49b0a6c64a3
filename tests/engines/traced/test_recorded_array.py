"""Recorded arrays: what they say of themselves, and what the course of a cost may depend on.

`test_coverage_arrays` compares what can be done to them with NumPy.
"""

import numpy as np
import pytest

from fastgrad.engines.traced.recorded_array import Recorded
from fastgrad.engines.traced.recorder import record
from fastgrad.engines.traced.writer import Recorder
from fastgrad.problem.parameters import Parameters

W = np.array([[1.0, -2.0, 3.0], [0.5, 0.25, 2.0]])


@pytest.fixture
def array():
    """A recorded array."""
    recorder = Recorder([W])
    return Recorded(recorder, recorder.base[0], 0)


def test_text(array):
    """It prints as an array, a number of it as a number."""
    assert repr(array) == repr(W)
    assert str(array[0]) == str(W[0])
    assert f"{array[0, 1]:.3f}" == "-2.000"
    assert repr(array[0, 1]) == repr(W[0, 1])


def test_unknown_attributes(array):
    """An attribute that arrays do not have raises what an array raises, so that code may ask for it."""
    assert not hasattr(array, "toarray")
    assert getattr(array, "values", None) is None
    with pytest.raises(AttributeError, match=r"'numpy\.ndarray' object has no attribute 'vlaues'"):
        array.vlaues()
    with pytest.raises(TypeError):
        hash(array)
    with pytest.raises(TypeError, match="iteration over a 0-d array"):
        list(array[0, 0])
    with pytest.raises(TypeError, match="len"):
        len(array[0, 0])
    with pytest.raises(TypeError, match="scalar cannot be written to"):
        array[0, 0][...] = 1.0


def guards(cost):
    """How many values the course of a cost depends on."""
    return len(record(cost, Parameters(W), ()).guards)


def test_guards_are_what_a_branch_depends_on():
    """A branch depends on the outcome of a comparison, not on the numbers that were compared."""
    tape = record(lambda w: np.sum(w) if w[0, 0] > 0 else -np.sum(w), Parameters(W), ())
    assert tape.replay([W * 2]) == np.sum(W * 2)
    assert tape.replay([-W]) is None
    assert guards(lambda w: np.sum(w) if w[0, 0] else w[0, 1]) == 1
    assert guards(lambda w: np.sum(w[w > 0])) == 1
    assert guards(lambda w: w.ravel()[np.argmax(w)]) == 1
    assert guards(lambda w: np.sum(np.where(w > 0, w, 0)) + np.max(w) + np.sum(np.sort(w))) == 0
    assert guards(lambda w: np.sum(w) if np.ones(2)[0] > 0 else w[0, 0]) == 0


def test_text_is_a_guard():
    """Where a number of the parameters, as text, would be another text, the cost may take another way."""
    tape = record(lambda w: np.sum(w) * float(f"{w[0, 0]:.1f}"), Parameters(W), ())
    assert tape.replay([W + 0.001]) == np.sum(W + 0.001) * 1.0
    assert tape.replay([W + 0.1]) is None
    tape = record(lambda w: np.sum(w) * len(str(w[0])), Parameters(W), ())
    assert tape.replay([W + 0.001]) is None


def test_views_of_what_is_no_number():
    """A write through the real part of complex numbers is declined: the other part would be lost."""

    def cost(w):
        z = w * (1 + 2j)
        z.real[0] = 0.0
        return np.sum(np.abs(z))

    with pytest.raises(Exception, match=r"parts of numbers \(x\.real"):
        record(cost, Parameters(W), ())
