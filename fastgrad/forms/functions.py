"""The functions of an optimiser's call, as the checks take them: of the shapes that scipy asks for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from fastgrad.errors import InputError
from fastgrad.printable import shortened
from fastgrad.problem.describe import describe, repr_of
from fastgrad.problem.kinds.named_vector import NamedVector
from fastgrad.problem.kinds.registry import to_array
from fastgrad.problem.model import flat_parameters
from fastgrad.problem.naming import copy_for_worker, name_like

FROM_DIFFERENCES = ("2-point", "3-point", "cs")
"""What scipy takes for a derivative that it makes itself, by differences."""


def start(x0: Any) -> tuple[npt.NDArray[Any], tuple[Any, ...] | None]:
    """x0 as scipy takes it, a vector of floats, and the names that the labels of a Series give its entries.

    Raises
    ------
    InputError
        For more than one axis, and for what holds no finite real numbers.
    """
    if hasattr(x0, "index") and hasattr(x0, "to_numpy"):
        return flat_parameters(x0.astype(float))
    array = np.atleast_1d(to_array(x0, "x0"))
    if array.ndim != 1:
        raise InputError(
            f"x0 must be a vector; got shape {array.shape}. Pass x0.ravel(), as scipy asks for", code="FG715"
        )
    if array.dtype.kind == "c":
        raise InputError(f"x0 must be real, as scipy's optimisers take it; got {describe(x0)}", code="FG715")
    if array.dtype.kind in "iub":
        array = array.astype(np.float64)
    return flat_parameters(array)[0], None


def as_tuple(args: Any) -> tuple[Any, ...]:
    """args as scipy takes them: what is no tuple is the only one."""
    return args if isinstance(args, tuple) else (args,)


def require_function(what: str, function: Any, form: str) -> None:
    """Refuse what cannot be called."""
    if not callable(function):
        raise InputError(
            f"{what} must be callable as {form}; got {shortened(repr_of(function))}", code="FG201"
        )


def is_update(hess: Any) -> bool:
    """Whether a Hessian is one of scipy's update formulas, such as BFGS()."""
    return any(kind.__name__ == "HessianUpdateStrategy" for kind in type(hess).__mro__)


def is_operator(value: Any) -> bool:
    """Whether a matrix is known by its products only: a LinearOperator."""
    return hasattr(value, "matvec") and hasattr(value, "rmatvec")


@dataclass(frozen=True, eq=False)
class Vector:
    """A function that must return a vector of n numbers, as a gradient and a Hessian times a vector are.

    Parameters
    ----------
    function : callable(x, *args) -> (n,)
    size : n
    what : as messages call it

    Examples
    --------
    >>> Vector(lambda x: [2 * x[0]], 1, "jac")(np.array([3.0]))
    array([6.])
    """

    function: Callable[..., Any]
    size: int
    what: str

    def __post_init__(self) -> None:
        name_like(self, self.function)

    def __call__(self, x: Any, *args: Any) -> npt.NDArray[Any]:
        """The vector; InputError for another shape, which scipy's optimisers take for something else."""
        returned = self.function(x, *args)
        found = to_array(returned, f"what {self.what} returns")
        if found.shape == (self.size,) or (found.ndim == 0 and self.size == 1):
            return found.reshape(self.size)
        raise InputError(
            f"{self.what} must return shape ({self.size},), as x0 has; got {describe(returned)}"
            + (". Return it with .ravel()" if found.size == self.size else ""),
            code="FG716",
        )

    def for_worker(self) -> Vector:
        """The same, with its own copy of a function that keeps state."""
        return replace(self, function=copy_for_worker(self.function))


@dataclass(frozen=True, eq=False)
class Value:
    """A function that returns its one number in an array, as scipy allows.

    Parameters
    ----------
    function : callable(x, *args) -> an array of one number
    """

    function: Callable[..., Any]

    def __post_init__(self) -> None:
        name_like(self, self.function)

    def __call__(self, x: Any, *args: Any) -> Any:
        """The number."""
        return np.asarray(self.function(x, *args)).item()

    def for_worker(self) -> Value:
        """The same, with its own copy of a function that keeps state."""
        return replace(self, function=copy_for_worker(self.function))


@dataclass(frozen=True, eq=False)
class Rows:
    """A Jacobian of which one row may come as a vector, as scipy allows.

    Parameters
    ----------
    function : callable(x, *args) -> (m, n), or (n,) where m = 1
    what : as messages call it
    """

    function: Callable[..., Any]
    what: str = "jac"

    def __post_init__(self) -> None:
        name_like(self, self.function)

    def __call__(self, x: Any, *args: Any) -> Any:
        """The Jacobian, with two axes; InputError for no numbers."""
        found = self.function(x, *args)
        if is_operator(found) or hasattr(found, "tocsc"):
            return found
        array = np.atleast_2d(to_array(found, f"what {self.what} returns"))
        if array.dtype.kind not in "fiub":
            raise InputError(
                f"{self.what} must return a matrix of real numbers; got {describe(found)}"
                + ". Is a return missing?" * (found is None),
                code="FG716",
            )
        return array

    def for_worker(self) -> Rows:
        """The same, with its own copy of a function that keeps state."""
        return replace(self, function=copy_for_worker(self.function))


@dataclass(frozen=True, eq=False)
class Components:
    """A vector function, whose numbers may come one by one or in a list, as scipy allows.

    Parameters
    ----------
    function : callable(x, *args) -> (m,), a number, or a list of numbers
    what : as messages call it
    """

    function: Callable[..., Any]
    what: str = "fun"

    def __post_init__(self) -> None:
        name_like(self, self.function)

    def __call__(self, x: Any, *args: Any) -> npt.NDArray[Any]:
        """(m,) the components; InputError for more axes than one, and for no numbers."""
        returned = self.function(x, *args)
        found = np.atleast_1d(to_array(returned, f"what {self.what} returns"))
        if found.ndim != 1 or found.dtype.kind not in "fiub":
            raise InputError(
                f"{self.what} must return a vector of real numbers, or one; got {describe(returned)}"
                + ". Is a return missing?" * (returned is None),
                code="FG716",
            )
        return found.astype(np.float64) if found.dtype.kind in "iub" else found

    def for_worker(self) -> Components:
        """The same, with its own copy of a function that keeps state."""
        return replace(self, function=copy_for_worker(self.function))


def place(x: npt.NDArray[Any], names: tuple[Any, ...] | None) -> Any:
    """A point with the names of its coordinates, if they have any."""
    return x if names is None else NamedVector(x, names)
