"""What a vector function returned, as blocks over one flat vector."""

import numpy as np
import pytest

import fastgrad
from fastgrad.vector.outputs import Outputs


def test_there_and_back():
    """Numbers come back in the structure, the shapes and the dtypes that the function returned."""
    returned = {"a": np.arange(6.0).reshape(2, 3), "b": [np.float32(7.0), np.ones(2, dtype=np.float32)]}

    outputs = Outputs.of(returned)
    made = outputs.structure(outputs.values)

    assert outputs.size == 9
    assert made["a"].tolist() == returned["a"].tolist()
    assert made["b"][0] == 7
    assert made["b"][1].dtype == np.float32
    assert outputs.flat(made).tolist() == outputs.values.tolist()
    assert outputs.label(4) == "a[1, 1]"


def test_one_array():
    """Entries of a single array are called output[...]."""
    assert Outputs.of(np.ones((2, 2))).label(3) == "output[1, 1]"


@pytest.mark.parametrize(
    ("returned", "words"),
    [
        (np.array([1, 2]), "Return floats"),
        (np.array([1j]), "real and imaginary parts"),
        (np.array([]), "at least one number"),
        (np.array([1.0, np.nan]), r"output\[1\] is nan at the parameters"),
        (None, "at least one number"),
    ],
)
def test_refused(returned, words):
    """What holds no finite real floats is refused, by the name of the output."""
    with pytest.raises(fastgrad.InputError, match=words):
        Outputs.of(returned)


@pytest.mark.parametrize("other", [np.ones(3), {"a": np.ones(2)}, [np.ones(2)]])
def test_another_structure(other):
    """A later answer of another shape or structure is refused."""
    with pytest.raises(fastgrad.InputError, match="same structure at each call"):
        Outputs.of(np.ones(2)).flat(other)
