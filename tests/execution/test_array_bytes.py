"""What arrays of NumPy and of other libraries hold."""

from __future__ import annotations

import numpy as np
import pytest

from fastgrad.execution import array_bytes
from fastgrad.execution.array_bytes import as_array, labels_of, meaningful_bytes, objects_of


def data(array):
    """All bytes of an array that mean something."""
    return b"".join(meaningful_bytes(array))


@pytest.mark.parametrize(
    "array",
    [
        np.arange(7.0),
        np.arange(12).reshape(3, 4).T,
        np.arange(12.0)[::-3],
        np.array(2.5),
        np.empty((0, 3)),
        np.array(["a", "bc"]),
        np.array([b""]),
        np.array(["2020-01-01"], dtype="M8[D]"),
        np.array([True, False]),
        np.array([1j]),
    ],
)
def test_elements_in_order(array, monkeypatch):
    """All elements come in C order, however they lie in memory, in pieces."""
    monkeypatch.setattr(array_bytes, "PIECE", 2)
    assert data(array) == array.tobytes()
    assert all(len(piece) <= 2 * array.itemsize for piece in meaningful_bytes(array))


def test_fields():
    """Records give their fields one by one, and the objects among them apart."""
    records = np.array([(1, 2.0, "x"), (3, 4.0, "y")], dtype=[("a", "i1"), ("b", "f8"), ("c", object)])
    assert data(records) == records["a"].tobytes() + records["b"].tobytes()
    assert objects_of(records) == ["x", "y"]
    assert objects_of(records["b"]) == []


@pytest.mark.parametrize("dtype", [np.longdouble, np.clongdouble])
def test_long_doubles(dtype):
    """A long double counts to its last digit, and not by the bytes that pad it; infinity and NaN are fine."""
    array = np.array([1, np.inf, np.nan], dtype=dtype)
    array[0] /= 3
    padded = np.frombuffer(b"\xff" * array.nbytes, dtype=np.uint8).copy().view(dtype)
    padded[:] = array
    assert data(padded) == data(array)
    assert data(array) != data(np.array([1 / 3, np.inf, np.nan], dtype=dtype)) or dtype(1) / 3 == 1 / 3


def test_what_is_an_array():
    """Arrays, memory maps, scalars and what has `__array__` are; classes, lists and masked arrays are not."""

    class Other:
        def __array__(self, dtype=None, copy=None):
            return np.ones(2)

    class Detached:
        requires_grad = True

        def __array__(self, dtype=None, copy=None):
            raise RuntimeError

        def detach(self):
            return self

        def cpu(self):
            return [1.0, 2.0]

    class Broken:
        def __array__(self, dtype=None, copy=None):
            raise RuntimeError

    array = np.ones(3)
    assert as_array(array) is array
    for value in (np.float64(2.0), Other(), Detached()):
        assert isinstance(as_array(value), np.ndarray)
    for value in (Other, Broken(), [1.0], 1.0, np.ma.masked_array([1.0])):
        assert as_array(value) is None


def test_labels():
    """A table has names of columns and rows; an array has none, and a method called index is none."""

    class Table:
        columns, index = ("a", "b"), range(2)

    class Other:
        def index(self):
            """Something else."""

    assert labels_of(Table()) == [("a", "b"), range(2)]
    assert labels_of(Other()) == [None]
    assert labels_of(np.ones(2)) == []
