"""What a cost returned, as one number."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

import fastgrad
from fastgrad.engines.numbers import PairReturnedError, epsilon_of, loss_of, to_number


class TestToNumber:
    @pytest.mark.parametrize("value", [1.5, np.float64(1.5), np.float32(1.5), np.array(1.5), 2, np.int64(2)])
    def test_one_number(self, value):
        """Python and NumPy scalars and 0-d arrays are numbers."""
        assert to_number(value) == float(value)
        assert type(to_number(value)) is float

    @pytest.mark.parametrize("value", [True, [1.0], (1.0,), b"1", {"a": 1}, object()])
    def test_anything_else_is_refused(self, value):
        """What is not one number is refused."""
        with pytest.raises(fastgrad.InputError, match="the cost must return one number; got "):
            to_number(value)

    def test_a_matrix_of_one_entry(self):
        """A product of matrices can give nothing but a matrix: one entry is a number."""
        assert to_number(np.array([[2.5]]).view(np.matrix)) == 2.5
        with pytest.raises(fastgrad.InputError, match="got float64 array of shape"):
            to_number(np.ones((2, 1)).view(np.matrix))

    def test_an_array_of_one_entry_is_refused(self):
        """Any other array of one entry is refused, saying how it becomes a number."""
        with pytest.raises(fastgrad.InputError, match=r"It holds one number: return it with .item\(\)"):
            to_number(np.ones((1, 1)))

    @pytest.mark.parametrize("dtype", [np.float64, np.complex128])
    def test_a_pair(self, dtype):
        """A pair whose first entry is a number is refused in a way that others can take up."""
        pair = (1.0, np.ones(3))
        with pytest.raises(
            PairReturnedError, match=r"got a tuple of length 2\. Return its first entry"
        ) as caught:
            to_number(pair, dtype)
        assert caught.value.pair is pair
        other = pickle.loads(pickle.dumps(caught.value))
        assert str(other) == str(caught.value)

    def test_an_object_that_raises(self):
        """What raises when it is asked for a number or a shape is refused like anything else."""

        class Hostile:
            def __getattr__(self, name):
                raise RuntimeError(name)

            def __float__(self):
                raise RuntimeError("float")

        for dtype in (np.float64, np.complex128):
            with pytest.raises(fastgrad.InputError, match=r"(got|returned) Hostile"):
                to_number(Hostile(), dtype)

    def test_text_is_no_batch(self):
        """An array of something else than numbers is not told to be summed."""
        with pytest.raises(fastgrad.InputError, match=r"shape \(2,\) \[FG202\]$"):
            to_number(np.array(["a", "b"]))


# value, its dtype
PRECISIONS = (
    (1.0, np.float64),
    (np.float32(1), np.float32),
    (np.array(1, np.float32), np.float32),
    (1, np.float64),
)


@pytest.mark.parametrize(("value", "dtype"), PRECISIONS)
def test_epsilon(value, dtype):
    """The precision of a value is that of its dtype; Python's own numbers are in float64."""
    assert epsilon_of(value) == np.finfo(dtype).eps


def test_loss_of():
    """The loss of a pair is its first entry, and a number is its own."""
    assert loss_of((1.5, np.ones(3))) == 1.5
    assert loss_of(1.5) == 1.5
