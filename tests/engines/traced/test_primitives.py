"""Functions of plain arrays that stand in a tape."""

import numpy as np

from fastgrad.engines.traced.primitives import Written, assigned, cast, flat_indices, put_flat, take_flat

A = np.arange(6.0).reshape(2, 3)


def test_they_write_to_copies():
    """What is written is written to a copy, in its dtype."""
    assert put_flat(A, np.array([[0], [5]]), np.array([[9.0], [8.0]])).tolist() == [[9, 1, 2], [3, 4, 8]]
    assert assigned(A, (slice(None), 1), 7).tolist() == [[0, 7, 2], [3, 7, 5]]
    assert Written(np.put)(A, [1], [5.5]).tolist() == [[0, 5.5, 2], [3, 4, 5]]
    assert assigned(A.astype(int), 0, 2.7).dtype == int
    assert A.tolist() == [[0, 1, 2], [3, 4, 5]]


def test_a_written_function_has_a_name():
    """A tape prints it."""
    assert Written(np.put).__name__ == "put on a copy"


def test_reading():
    """Entries by flat index, in the shape of the indices."""
    assert take_flat(A.T, np.array([[0, 1], [4, 5]])).tolist() == [[0, 3], [2, 5]]
    assert isinstance(take_flat(np.float64(2), np.array(0)), np.ndarray)


def test_cast_of_a_scalar_is_a_scalar():
    """An array stays an array, and a scalar a scalar."""
    assert isinstance(cast(np.float64(2), np.float32), np.float32)
    assert isinstance(cast(np.array(2.0), np.float32), np.ndarray)


def test_flat_indices_lie_as_the_array_does():
    """They are counted along the axes, and lie in memory as the array."""
    ids = flat_indices(A.T)
    assert ids.tolist() == [[0, 1], [2, 3], [4, 5]]
    assert ids.flags.f_contiguous
    assert ids.ravel("K").tolist() == [0, 2, 4, 1, 3, 5]
