"""What a recorded array says of itself."""

import numpy as np
import pytest

from fastgrad.engines.traced.declined import Declined
from fastgrad.engines.traced.recorded_array import Recorded
from fastgrad.engines.traced.writer import Recorder

W = np.array([[1.0, -2.0, 3.0], [0.5, 0.25, 2.0]])


@pytest.fixture
def array():
    """A recorded array."""
    recorder = Recorder([W])
    return Recorded(recorder, recorder.base[0], 0)


@pytest.mark.parametrize("name", ["shape", "dtype", "ndim", "size", "nbytes", "itemsize", "strides"])
def test_it_says_of_itself_what_an_array_says(array, name):
    """Shape, dtype and the like are those of the array."""
    assert getattr(array, name) == getattr(W, name)
    assert getattr(array.T, name) == getattr(W.T, name)


def test_transposes_and_parts(array):
    """The transpose and the parts of complex numbers are recorded arrays."""
    assert array.T.array.tolist() == array.mT.array.tolist() == W.T.tolist()
    assert (array * (1 + 2j)).real.array.tolist() == W.tolist()
    assert (array * (1 + 2j)).imag.array.tolist() == (2 * W).tolist()


def test_a_shape_is_not_assigned(array):
    """A shape that is assigned is declined, with what to write."""
    with pytest.raises(Declined, match=r"write x = x\.reshape"):
        array.shape = (3, 2)
