"""Python's own numbers: a float, a list or a tuple of numbers, an array.array.

A list or a tuple that holds numbers only is one vector. Integers in it count as floats where a float stands
beside them, and where the list is all of the parameters. Elsewhere a list of integers is more likely a
setting, such as the shape of something, and is refused.
"""

from __future__ import annotations

import array
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from fastgrad.errors import InputError
from fastgrad.problem.kinds.form import Form, Rebuild

_NUMBERS = (int, float, np.integer, np.floating)
_ADVICE = (
    "pass it as floats if it is to be perturbed, and in args (or in the cost itself) if it is a setting of "
    "the cost"
)


def is_number(value: object) -> bool:
    """Whether a value is one real number of Python's or NumPy's, an integer included; no bool is."""
    return isinstance(value, _NUMBERS) and not isinstance(value, bool)


def is_vector(value: object) -> bool:
    """Whether a value is a list or a tuple of numbers, at least one.

    Examples
    --------
    >>> is_vector([1.0, 2]), is_vector((1.0, [2.0])), is_vector([])
    (True, False, False)
    """
    return type(value) in (list, tuple) and bool(value) and all(map(is_number, value))  # type: ignore[call-overload]


def form_of(value: Any, what: str, is_root: bool) -> Form | None:
    """The form of a number or of a vector of numbers; None for any other value.

    Parameters
    ----------
    value : a leaf of the parameters
    what : the leaf as messages call it
    is_root : whether it is all of the parameters

    Raises
    ------
    InputError
        For a list or a tuple of integers beside other parameters.
    """
    if isinstance(value, array.array):
        return Form("an array.array", partial(_stdlib_array, value.typecode), batch_is_array=True)
    if is_number(value):
        rebuild: Rebuild = _numpy_number if isinstance(value, np.generic) else _number
        return Form("a number", rebuild, is_number=True, follows=True, batch_is_array=True)
    if not is_vector(value):
        return None
    kind = type(value)
    if not is_root and all(isinstance(entry, int | np.integer) for entry in value):
        raise InputError(f"{what} is a {kind.__name__} of integers: {_ADVICE}", code="FG101")
    rebuild = partial(_vector, kind, any(isinstance(entry, np.generic) for entry in value))
    return Form(f"a {kind.__name__} of numbers", rebuild, follows=True, batch_is_array=True)


def to_array(value: Any, is_root: bool) -> npt.NDArray[Any]:
    """The numbers of what `form_of` has a form for; integers as floats where they count as such."""
    found = np.asarray(value)
    is_integer = found.dtype.kind in "iu" and (is_root or found.ndim == 1)
    return found.astype(np.float64) if is_integer and not isinstance(value, array.array) else found


def _number(found: Any) -> Any:
    return found.item() if isinstance(found, np.ndarray) else found


def _numpy_number(found: Any) -> Any:
    return found[()]


def _vector(kind: type, of_numpy: bool, found: Any) -> Any:
    entries = list(found) if of_numpy or not isinstance(found, np.ndarray) else found.tolist()
    return entries if kind is list else tuple(entries)


def _stdlib_array(typecode: str, found: npt.NDArray[Any]) -> Any:
    if np.iscomplexobj(found):
        raise TypeError("an array.array holds no complex numbers")
    return array.array(typecode, found.tolist())
