"""Which kind a leaf is, found by the name of the module of its type: no library is imported to find out.

A kind is a module here with two functions. `form_of` says how a leaf of the parameters is made again, or
refuses it by a sentence that says what to write. `to_array` gives the numbers of a parameter, a gradient or a
cost as an array of NumPy. Both return None for other things of the same library.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Hashable, Iterator, Mapping, Set
from decimal import Decimal
from fractions import Fraction
from importlib import import_module
from typing import Any, Protocol, cast

import numpy as np
import numpy.typing as npt

from fastgrad.errors import InputError
from fastgrad.problem.describe import describe
from fastgrad.problem.kinds import complex_parts, number, numpy_subclass
from fastgrad.problem.kinds.form import Form

LIBRARIES = {
    "fastgrad": "named_vector",
    "jax": "jax_array",
    "jaxlib": "jax_array",
    "pandas": "pandas_frame",
    "scipy": "sparse_matrix",
    "torch": "torch_tensor",
    "xarray": "xarray_dataarray",
}
"""The module here for the types of each library, which is imported when such an object comes."""


class Kind(Protocol):
    """A module of this package, for the types of one library."""

    def form_of(self, value: Any, what: str) -> Form | None:
        """How a leaf of the parameters is made again; None where it is of no type that is known here."""

    def to_array(self, value: Any, what: str) -> npt.NDArray[Any] | None:
        """The numbers as an array of NumPy; None where it is of no type that is known here."""


def kind_of(value: object) -> Kind | None:
    """The kind of a value of a known library; None for all others."""
    return _kind_of_type(cast(Hashable, type(value)))


@functools.lru_cache(maxsize=256)  # a cost's value is looked up at each evaluation
def _kind_of_type(of: Hashable) -> Kind | None:
    for base in cast(type, of).__mro__:
        found = LIBRARIES.get(str(base.__module__).partition(".")[0])
        if found is not None:
            return cast(Kind, import_module(f"fastgrad.problem.kinds.{found}"))
    return None


def form_of(value: Any, what: str, is_root: bool = False) -> Form | None:
    """How a leaf of the parameters is made again; None for a plain array, and for what is no array at all.

    Parameters
    ----------
    value : a leaf of the parameters
    what : the leaf as messages call it
    is_root : whether it is all of the parameters

    Raises
    ------
    InputError
        For what cannot be made again, saying what to pass in its place.
    """
    if type(value) is np.ndarray:
        return complex_parts.form_of_array(value)
    try:
        return _form_of(value, what, is_root)
    except InputError:
        raise
    except Exception as error:  # an object may raise whatever it is asked
        raise InputError(f"{what} is not an array: got {describe(value)}", code="FG103") from error


def to_array(value: Any, what: str, is_root: bool = False) -> npt.NDArray[Any]:
    """The numbers of a parameter, a gradient or a cost as an array of NumPy, with whatever dtype they have.

    Parameters
    ----------
    value : an array of any kind, a number, or lists and tuples of them
    what : the value as messages call it
    is_root : whether it is all of the parameters

    Raises
    ------
    InputError
        For a masked array with masked entries, and for what makes no array.
    """
    if type(value) is np.ndarray:
        return value
    try:
        return _to_array(value, what, is_root)
    except InputError:
        raise
    except Exception as error:
        join = ". Join the pieces: np.concatenate((a.ravel(), b.ravel()))" * isinstance(value, list | tuple)
        raise InputError(f"{what} is not an array: got {describe(value)}{join}", code="FG103") from error


def _form_of(value: Any, what: str, is_root: bool) -> Form | None:
    if isinstance(value, np.ndarray):
        return numpy_subclass.form_of(value, what)
    if isinstance(value, complex | np.complex64):
        return complex_parts.form_of_number(value)
    found = number.form_of(value, what, is_root)
    if found is None and (kind := kind_of(value)) is not None:
        found = kind.form_of(value, what)
    if found is None and (advice := _advice(value)):
        raise InputError(f"{what} cannot be perturbed: got {describe(value)}. {advice}", code="FG103")
    return found


def _to_array(value: Any, what: str, is_root: bool) -> npt.NDArray[Any]:
    if isinstance(value, np.ndarray):
        return numpy_subclass.to_array(value, what)
    if isinstance(value, list | tuple) and any(kind_of(entry) is not None for entry in value):
        return np.asarray([to_array(entry, what) for entry in value])
    if number.is_vector(value) or number.is_number(value):
        return number.to_array(value, is_root)
    found = None if (kind := kind_of(value)) is None else kind.to_array(value, what)
    return np.asarray(value) if found is None else found


def _advice(value: object) -> str:
    """What to pass in place of a value that is no parameter; empty where the dtype will tell."""
    if isinstance(value, Iterator):
        return "It can be read only once: pass list(...) of it"
    if isinstance(value, Mapping):
        return "It is a mapping of its own kind: pass dict(...) of it"
    if isinstance(value, Set):
        return "A set has no order: pass a list or a dict"
    if dataclasses.is_dataclass(value):
        return "Pass the arrays that it holds in a dict, as vars(...) gives them, and make it in the cost"
    if isinstance(value, Decimal | Fraction):
        return "Differences are taken in floats: pass float(...) of it"
    if callable(value):
        return "It is a function, not an array: the order is check_gradient(cost, gradient, params)"
    return ""
