"""Subclasses of NumPy's array: np.matrix, np.ma.MaskedArray, and classes that others have derived.

They are made again as views, so that what is written into one is seen in the working copy. A memory map is
read like a plain array.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from fastgrad.errors import InputError
from fastgrad.problem.describe import quoted
from fastgrad.problem.kinds.form import Form


def form_of(value: npt.NDArray[Any], what: str) -> Form | None:
    """The form of a subclass of NumPy's array; None for a plain array and a memory map.

    Parameters
    ----------
    value : an array
    what : the leaf as messages call it

    Raises
    ------
    InputError
        For a masked array with masked entries, and for a class of which no view can be made.
    """
    if type(value) in (np.ndarray, np.memmap):
        return None
    if isinstance(value, np.ma.MaskedArray):
        require_no_masked(value, what)
        return Form("a masked array", partial(_masked, value.fill_value), takes_batch=True)
    if isinstance(value, np.matrix):
        return Form("a matrix", _matrix)
    name = type(value).__name__
    rebuild = partial(_view, value)
    try:
        same = rebuild(np.array(value, subok=False))
    except Exception as error:
        raise InputError(
            f"{what} is a {name}, a subclass of NumPy's array of which no view can be made "
            f"({quoted(error)}): pass a plain array, np.asarray(...)",
            code="FG105",
        ) from error
    if type(same) is not type(value):
        raise InputError(
            f"{what} is a {name}, a subclass of NumPy's array that a view does not give again: pass a plain "
            "array, np.asarray(...)",
            code="FG105",
        )
    return Form(f"a {name}", rebuild)


def to_array(value: npt.NDArray[Any], what: str) -> npt.NDArray[Any]:
    """The numbers as a plain array, which shares the memory of `value`.

    Raises
    ------
    InputError
        For a masked array with masked entries.
    """
    if isinstance(value, np.ma.MaskedArray):
        require_no_masked(value, what)
        return np.asarray(value.data)
    return np.asarray(value)


def require_no_masked(value: np.ma.MaskedArray[Any, Any], what: str) -> None:
    """Refuse a masked array with masked entries: their numbers mean nothing."""
    masked = int(np.ma.getmaskarray(value).sum())
    if masked:
        raise InputError(
            f"{what} is a masked array in which {masked} entries are masked: pass its valid entries, "
            ".compressed(), or fill the masked ones, .filled(0.0)",
            code="FG106",
        )


def _matrix(array: npt.NDArray[Any]) -> Any:
    return array.view(np.matrix)


def _masked(fill_value: Any, array: npt.NDArray[Any]) -> Any:
    return np.ma.MaskedArray(array, fill_value=fill_value)


def _view(like: npt.NDArray[Any], array: npt.NDArray[Any]) -> Any:
    found = array.view(type(like))
    finalize = getattr(found, "__array_finalize__", None)
    if finalize is not None:
        finalize(like)  # copies what the class keeps beside the numbers, such as a unit
    return found
