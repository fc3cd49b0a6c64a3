"""The writer of a tape: what it notes, and what of the user's it leaves alone."""

import numpy as np
import pytest

from fastgrad.engines.traced.declined import Declined
from fastgrad.engines.traced.tape import Ref
from fastgrad.engines.traced.writer import Recorder

W = np.array([1.0, 2.0])


def test_operations_are_noted():
    """An operation on parameters is computed and noted; one on constants is only computed."""
    recorder = Recorder([W])
    result, outputs, several = recorder.append(np.add, (Ref(0), 1.0), {})
    assert (result.tolist(), outputs, several) == ([2.0, 3.0], (1,), False)
    result, outputs, several = recorder.append(np.add, (W, 1.0), {})
    assert (result.tolist(), outputs, several) == ([2.0, 3.0], (), False)
    assert len(recorder.operations) == 1
    assert recorder.append(np.modf, (Ref(1),), {})[1:] == ((2, 3), True)


def test_scalars_are_known():
    """A number that NumPy gave is given to functions as a number."""
    recorder = Recorder([W])
    recorder.append(np.add.reduce, (Ref(0),), {})
    assert recorder.scalars == {1}
    kinds = []
    recorder.append(lambda x: (kinds.append(type(x)), x)[1], (Ref(1),), {})
    assert kinds == [np.float64]


def test_values_cannot_be_written_to():
    """A function that writes to what it is given fails; arrays that it gives back stay the user's."""
    recorder, mine = Recorder([W]), np.zeros(2)
    with pytest.raises(ValueError, match="read-only"):
        recorder.append(lambda x: x.fill(0.0), (Ref(0),), {})
    result, _, _ = recorder.append(lambda x: mine, (Ref(0),), {})
    assert result is mine
    assert mine.flags.writeable
    assert W.flags.writeable


@pytest.mark.parametrize("value", ["text", {"a": 1}, np.array(["a"]), np.array([None]), np.ma.array([1.0])])
def test_what_is_no_value(value):
    """What is not an array of numbers is declined."""
    with pytest.raises(Declined, match="cannot be recorded"):
        Recorder([W]).append(lambda x: value, (Ref(0),), {})


def test_the_first_reason_counts():
    """The reason for which a cost was declined first is kept, though the cost goes on."""
    recorder = Recorder([W])
    recorder.decline("first")
    recorder.decline("second")
    assert recorder.declined.reason == "first"
