"""Calls of NumPy's functions with recorded arrays; `test_coverage` compares what they give."""

import numpy as np
import pytest

from fastgrad.engines.traced.calls import DECLINED, METADATA, POSITIONS, WRITING
from fastgrad.engines.traced.declined import Declined
from fastgrad.engines.traced.recorded_array import Recorded
from fastgrad.engines.traced.writer import Recorder

W = np.array([[1.0, 2.0], [3.0, 4.0]])


@pytest.fixture
def array():
    """A recorded array."""
    recorder = Recorder([W])
    return Recorded(recorder, recorder.base[0], 0)


def test_no_function_is_in_two_groups():
    """A function is plain, a guard, a write, or declined."""
    groups = (METADATA, POSITIONS, WRITING, set(DECLINED))
    assert sum(map(len, groups)) == len(set().union(*groups))


def test_arguments_by_place_and_by_name(array):
    """Arguments that NumPy takes by place are known by their names."""
    out = Recorded(array.recorder, np.zeros(2), None)
    assert np.sum(array, 0, None, out) is out
    assert out.array.tolist() == [4.0, 6.0]
    assert np.mean(a=array, axis=1).array.tolist() == [1.5, 3.5]
    assert np.std(array, 0, None, None, 1, True).shape == (1, 2)


def test_constants_may_be_written_outside(array):
    """What does not depend on parameters may be written to an array from outside."""
    mine = np.zeros(2)
    mine += Recorded(array.recorder, np.ones(2), None)
    assert mine.tolist() == [1.0, 1.0]
    with pytest.raises(Declined, match="made outside of the cost"):
        mine += array[0]
    with pytest.raises(Declined, match="put_along_axis writes parameters into an array made outside"):
        np.put_along_axis(mine, np.array([0]), array[0, :1], 0)
    assert mine.tolist() == [1.0, 1.0]


def test_subclasses_are_not_taken_for_arrays(array):
    """Matrices and masked arrays multiply and skip in ways of their own: they are declined."""
    with pytest.raises(Declined):
        np.ma.array([1.0, 2.0], mask=[True, False]) * array[0]
    with pytest.warns(PendingDeprecationWarning):
        matrix = np.matrix(W)
    with pytest.raises(Declined):
        np.add(array, matrix)
