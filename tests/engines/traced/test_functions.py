"""What happens when a function is called with recorded arrays; `test_coverage` compares what they give."""

import numpy as np
import pytest

from fastgrad.engines.traced.calls import METADATA
from fastgrad.engines.traced.functions import holds_recorded, plain, settled_index, stacked
from fastgrad.engines.traced.recorded_array import Recorded
from fastgrad.engines.traced.writer import Recorder

W = np.array([[1.0, 2.0], [3.0, 4.0]])


@pytest.fixture
def array():
    """A recorded array."""
    recorder = Recorder([W])
    return Recorded(recorder, recorder.base[0], 0)


def test_metadata_is_plain(array):
    """What depends on shapes and dtypes only is given as it is, and leaves nothing on the tape."""
    assert np.shape(array) == (2, 2)
    assert np.result_type(array, np.float32) == np.float64
    assert np.iscomplexobj(array) is False
    assert array.recorder.operations == []
    assert np.shape in METADATA


def test_lists_that_hold_recorded_numbers(array):
    """A nested list with recorded numbers is one recorded array; a list of constants is a plain one."""
    assert holds_recorded([[1.0], (array[0, 0],)])
    assert not holds_recorded([[1.0], "text", None])
    assert stacked([[1.0, array[0, 1]], [array[1, 0], 0.0]]).array.tolist() == [[1.0, 2.0], [3.0, 0.0]]
    assert isinstance(stacked([[1.0, 2.0]]), np.ndarray)


def test_indices_are_settled(array):
    """An index that depends on parameters becomes plain, and a guard."""
    index = settled_index((slice(None, np.argmax(array[0]) + 1), [np.argmin(array[1])], array > 2, None, ...))
    assert index[0] == slice(None, 2, None)
    assert index[1] == [0]
    assert type(index[2]) is np.ndarray
    assert index[3:] == (None, ...)
    assert len(array.recorder.guards) == 3


def test_plain_arguments(array):
    """Arrays stand in place of recorded ones, inside lists and dicts too."""
    found = plain(([array, 1.0], {"x": (array,)}))
    assert type(found[0][0]) is type(found[1]["x"][0]) is np.ndarray


def test_constants_are_copied(array):
    """What the cost writes to a constant later does not reach the tape."""
    data = np.ones(2)
    result = array @ data
    data[:] = 5.0
    tape = array.recorder.tape(result.number)
    assert tape.replay([W]).tolist() == [3.0, 7.0]
