"""What an array holds, for a hash: bytes that mean something, and objects.

`contents` asks it of NumPy's arrays and of those of other libraries.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from fastgrad.arrays import PIECE
from fastgrad.execution.libraries import attribute

LABELS = ("columns", "index")
"""What a table has beside its numbers."""


def as_array(value: object) -> npt.NDArray[Any] | None:
    """The numbers of an array of NumPy, or of another library that gives them; None for anything else.

    A masked array is more than its numbers, and so is any other subclass.
    """
    if type(value) in (np.ndarray, np.memmap):
        return value  # type: ignore[return-value]
    if isinstance(value, np.ndarray | type) or attribute(value, "__array__") is None:
        return None
    for detached in (lambda: value, lambda: value.detach().cpu()):  # type: ignore[attr-defined]
        try:
            return np.asarray(detached())
        except Exception:  # a tensor that is to be differentiated gives no numbers
            continue
    return None


def labels_of(value: object) -> list[Any]:
    """The names of the columns and the rows of a table."""
    if isinstance(value, np.ndarray):
        return []
    return [labels for name in LABELS if not callable(labels := attribute(value, name))]


def meaningful_bytes(array: npt.NDArray[Any]) -> Iterator[bytes]:
    """The elements of an array in C order, in pieces; nothing of one that holds objects."""
    if array.dtype.names:  # there may be gaps between the fields
        for name in array.dtype.names:
            yield from meaningful_bytes(array[name])
    elif array.dtype in (np.longdouble, np.clongdouble) and np.longdouble != np.float64:
        for part in _as_doubles(array):
            yield from meaningful_bytes(part)
    elif not array.dtype.hasobject:
        flat: Any = array.reshape(-1) if array.flags.c_contiguous else array.flat  # no second copy of it
        yield from (flat[i : i + PIECE].tobytes() for i in range(0, array.size, PIECE))


def objects_of(array: npt.NDArray[Any]) -> list[object]:
    """The elements of an array of objects; nothing of one of numbers."""
    if array.dtype.names:
        return [element for name in array.dtype.names for element in objects_of(array[name])]
    return array.reshape(-1).tolist() if array.dtype.hasobject else []


def _as_doubles(array: npt.NDArray[Any]) -> Iterator[npt.NDArray[Any]]:
    """Long doubles as two doubles each: some of their own bytes are never written."""
    kind = np.complex128 if array.dtype.kind == "c" else np.float64
    with np.errstate(all="ignore"):
        high = array.astype(kind)
        low = (array - high).astype(kind)
    yield high
    yield np.where(np.isfinite(high), low, 0)
