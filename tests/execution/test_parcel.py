"""An engine as it travels: its large arrays apart, and the engine again on the other side."""

from __future__ import annotations

import numpy as np
import pytest
from problems import Unpicklable, sphere

from fastgrad.engines.python import PythonEngine
from fastgrad.execution.parcel import LARGE, packed, unpacked
from fastgrad.problem.parameters import Parameters

LONG = LARGE // 8


def engine(*args, parameters=3):
    """An engine with data."""
    return PythonEngine(lambda x, *rest: sphere(x), Parameters(np.ones(parameters)), args)


def test_large_arrays_travel_apart():
    """Arrays from LARGE bytes on are left out of the pickle, in containers too; smaller ones are in it."""
    large, small = np.ones(LONG), np.ones(LONG - 1)
    rest, arrays = packed(engine({"a": [large]}, small))
    assert [array is large for array in arrays] == [True]
    assert small.nbytes < rest.nbytes < small.nbytes + 10_000


def test_parameters_too():
    """The parameters are data like others."""
    rest, arrays = packed(engine(parameters=LONG))
    assert rest.nbytes < 10_000
    assert LONG in [array.size for array in arrays]


def test_what_arrives():
    """The engine that is made of it gives the same values, and one array that came in twice is one again."""
    large = np.arange(float(LONG))
    sent = engine(large, large)
    arrived = unpacked(*packed(sent))
    assert arrived.args[0] is arrived.args[1]
    assert arrived.values(np.array([1]), np.array([[0.5]])) == sent.values(np.array([1]), np.array([[0.5]]))


def test_arrays_of_objects_stay_in_the_pickle():
    """What is no plain memory is pickled."""
    rest, arrays = packed(engine(np.array([None] * LONG)))
    assert arrays == []
    assert unpacked(rest, []).args[0][0] is None


def test_what_cannot_be_pickled():
    """The error is pickle's own, which says what it was."""
    with pytest.raises(TypeError, match="cannot pickle"):
        packed(PythonEngine(Unpicklable(), Parameters(np.ones(3))))
