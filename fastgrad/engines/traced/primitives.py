"""Functions of plain arrays that stand in a tape beside NumPy's: they write to copies.

A tape has no operation that changes a value. What a cost writes into an array is an operation that gives
another array.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastgrad.engines.traced.tape import Array


@dataclass(frozen=True)
class Written:
    """A function that writes to its first argument, as one that gives what was written.

    Examples
    --------
    >>> Written(np.fill_diagonal)(np.zeros((2, 2)), 1.0)
    array([[1., 0.],
           [0., 1.]])
    """

    function: Callable[..., Any]

    @property
    def __name__(self) -> str:
        return f"{self.function.__name__} on a copy"

    def __call__(self, array: Array, *args: Any, **kwargs: Any) -> Array:
        """A copy of an array with what the function writes to it."""
        copy = np.array(array)
        self.function(copy, *args, **kwargs)
        return copy


def take_flat(array: Array, ids: Array) -> Array:
    """The entries of an array with some flat indices."""
    return np.asarray(np.asarray(array).reshape(-1)[ids])


def put_flat(array: Array, ids: Array, value: Array) -> Array:
    """A copy of an array with other values at some flat indices."""
    copy = np.array(array).reshape(-1)
    copy[np.reshape(ids, -1)] = np.reshape(value, -1)
    return copy.reshape(np.shape(array))


def assigned(array: Array, index: Any, value: Any) -> Array:
    """A copy of an array in which something was assigned."""
    copy = np.array(array)
    copy[index] = value
    return copy


def cast(array: Array, dtype: Any) -> Array:
    """The array in another dtype; of a scalar, a scalar."""
    return array.astype(dtype)


def text_of(array: Array, form: str | None) -> str:
    """An array, or a number without axes, as text; what repr gives where there is no form."""
    value = array[()] if np.ndim(array) == 0 else array
    return repr(value) if form is None else format(value, form)


def characters(array: Array, form: str | None) -> Array:
    """The same as an array of code points, on which the course of a cost may depend."""
    return np.array([ord(character) for character in text_of(array, form)], dtype=np.int64)


def flat_indices(array: Array, dtype: Any = np.intp) -> Array:
    """The flat index of each entry, in an array that lies in memory as this one does.

    Functions such as ravel(order="K") go by that.
    """
    ids = np.empty_like(array, dtype=dtype, subok=False)
    ids[...] = np.arange(array.size).reshape(array.shape)
    return ids
