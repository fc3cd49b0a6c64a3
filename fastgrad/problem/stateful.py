"""Methods of an object as functions of parameters: cost and gradient.

`Problem.from_object` makes them of an object that stores its own parameters, `Problem.from_model` of one
whose methods take them. Each function owns a copy of the user's object, which itself is never changed.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fastgrad.errors import InputError
from fastgrad.problem.describe import describe, quoted
from fastgrad.problem.kinds.registry import to_array


@dataclass(frozen=True)
class ObjectMethod:
    """A method of an object as a function of parameters, which are set before, or passed to the method."""

    net: Any
    setter: str | None
    """The name of the method that sets the parameters; None where `method` takes them."""
    method: str
    """The name of the method that is called."""
    is_cost: bool

    @property
    def __name__(self) -> str:
        return f"{type(self.net).__name__}.{self.method}"

    def __call__(self, params: Any, *args: Any) -> Any:
        """What the method returns for these parameters and the data."""
        method = getattr(self.net, self.method)
        if self.setter is None:
            result = method(params, *args)
        else:
            getattr(self.net, self.setter)(params)
            result = method(*args)
        if self.is_cost and isinstance(result, np.ndarray) and result.size == 1:
            return (
                result.item()
            )  # Python's own sum over a column, 0.5 * sum((y - yHat) ** 2), gives shape (1,)
        return result

    def for_worker(self) -> ObjectMethod:
        """The same function with its own copy of the object, for a worker thread."""
        return replace(self, net=copy.deepcopy(self.net))


def require_methods(net: Any, names: Sequence[str]) -> None:
    """Refuse a class, and an object that lacks some of the methods, naming these."""
    if isinstance(net, type):
        raise InputError(f"from_object takes an object, not a class: pass {net.__name__}(...)", code="FG120")
    missing = [name for name in names if not callable(getattr(net, name, None))]
    if missing:
        raise InputError(
            f"{type(net).__name__} has no method {', '.join(missing)}; other names can be given "
            "with get_params=, set_params=, cost= and gradient=",
            code="FG121",
        )


def copy_of(net: Any) -> Any:
    """A deep copy of the user's object, or InputError that says why it cannot be copied."""
    try:
        return copy.deepcopy(net)
    except Exception as error:
        raise InputError(
            f"{type(net).__name__} cannot be copied ({quoted(error)}): give it a __deepcopy__, or check "
            "plain functions cost(params, X, y) and gradient(params, X, y) instead",
            code="FG122",
        ) from error


def flat_vector(value: Any, what: str) -> Any:
    """A copy of what the method `what` returned as the parameters; InputError unless that is one vector."""
    try:
        axes = to_array(value, what).ndim
    except InputError:  # lists of different lengths
        axes = 0
    if axes != 1:
        raise InputError(
            f"{what}() must return all parameters as one flat vector; got {describe(value)}. Join them: "
            "np.concatenate((W1.ravel(), W2.ravel()))",
            code="FG123",
        )
    return copy.deepcopy(value)
