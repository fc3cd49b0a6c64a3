"""Problem: a cost, its claimed gradient, and the parameters at which the gradient is checked.

The user makes one, or `check_gradient` does. Every other room reads it and none changes it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from fastgrad.errors import InputError
from fastgrad.printable import shortened
from fastgrad.problem.columns import Columns
from fastgrad.problem.describe import repr_of
from fastgrad.problem.stateful import ObjectMethod, copy_of, flat_vector, require_methods


class Structure(Protocol):
    """A cost whose structure is known, and its gradient: a fastgrad.Network."""

    def cost(self, params: Any, X: Any, Y: Any) -> float:
        """The cost of a batch."""

    def gradient(self, params: Any, X: Any, Y: Any) -> Any:
        """Its gradient, in the structure of params."""


@dataclass(frozen=True, repr=False)
class Problem:
    """What is checked: a cost, its claimed gradient, and the parameters.

    Parameters
    ----------
    cost : callable(params, *args) -> float
    gradient : callable(params, *args) -> same structure as params, or such a structure of values;
        True for a cost that returns (loss, gradient), None where only a numerical gradient is wanted
    params : array of any shape | dict | list | tuple | nestings of them, float32 or float64, of any kind in
        `problem.kinds`
    args : tuple of whatever else both take; passed through as it is
    structure : a fastgrad.Network that computes the same cost, cost(params, X, Y) with args (X, Y); it is
        then evaluated by the network engine. Vector checks pass Columns

    Examples
    --------
    >>> import numpy as np
    >>> import fastgrad
    >>> problem = fastgrad.Problem(lambda x: float(x @ x), lambda x: 2 * x, np.arange(3.0))
    >>> fastgrad.check(problem).verdict
    'agree'
    """

    cost: Callable[..., Any]
    gradient: Any
    params: Any
    args: tuple[Any, ...] = ()
    structure: Structure | Columns | None = None

    def __post_init__(self) -> None:
        if not callable(self.cost):
            raise InputError(
                f"the cost must be callable as cost(params, *args); got {shortened(repr_of(self.cost))}"
            )
        if not isinstance(self.args, tuple):
            raise InputError(f"args must be a tuple, as in args=(X, y); got a {type(self.args).__name__}")

    def __repr__(self) -> str:
        return f"Problem(cost={_name(self.cost)}, gradient={_name(self.gradient)})"

    @classmethod
    def from_object(
        cls,
        net: Any,
        X: Any,
        y: Any,
        *,
        get_params: str = "getParams",
        set_params: str = "setParams",
        cost: str = "costFunction",
        gradient: str = "computeGradients",
    ) -> Problem:
        """The problem of an object that stores its own parameters, such as a network with setParams.

        The object is copied: it is never changed, and each worker has its own copy.

        Parameters
        ----------
        net : object with the four methods, called as net.getParams() -> flat vector,
            net.setParams(vector), net.costFunction(X, y) -> number,
            net.computeGradients(X, y) -> flat vector
        X, y : the data, passed through as they are
        get_params, set_params, cost, gradient : the methods' names, where they are called otherwise

        Raises
        ------
        InputError
            Naming the methods that the object does not have.
        """
        require_methods(net, (get_params, set_params, cost, gradient))
        own = copy_of(net)
        params = flat_vector(getattr(own, get_params)(), f"{type(net).__name__}.{get_params}")
        return cls(
            ObjectMethod(own, set_params, cost, is_cost=True),
            ObjectMethod(copy_of(net), set_params, gradient, is_cost=False),
            params,
            (X, y),
        )


def _name(value: object) -> str:
    if value is None:
        return "None"
    return getattr(value, "__name__", None) or type(value).__name__
