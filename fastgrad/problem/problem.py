"""Problem: a cost, its claimed gradient, and the parameters at which the gradient is checked.

The user makes one, or `check_gradient` does. Every other room reads it and none changes it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from fastgrad.errors import InputError
from fastgrad.printable import shortened
from fastgrad.problem.describe import repr_of
from fastgrad.problem.kinds.named_vector import named
from fastgrad.problem.model import coordinate_names, flat_parameters, method_called
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
        then evaluated by the network engine. Vector checks pass Columns, adapters Alternatives

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
    structure: Any = None

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

    @classmethod
    def from_value_and_gradient(cls, fun: Callable[..., Any], x0: Any, args: tuple[Any, ...] = ()) -> Problem:
        """The problem of one function that returns the pair (loss, gradient).

        Such are the objectives of scipy's minimize with jac=True and of L-BFGS, what jax.value_and_grad
        makes, and the losses inside scikit-learn.

        Parameters
        ----------
        fun : callable(params, *args) -> (loss, gradient), the gradient in the structure of params
        x0 : the parameters, as for check_gradient
        args : whatever else fun takes, as a tuple

        Raises
        ------
        InputError
            Where fun cannot be called; a check of the problem raises it where fun returns no such pair.

        Examples
        --------
        >>> import numpy as np
        >>> import fastgrad
        >>> problem = fastgrad.Problem.from_value_and_gradient(lambda x: (x @ x, 2 * x), np.arange(3.0))
        >>> fastgrad.check(problem).verdict
        'agree'
        """
        if not callable(fun):
            raise InputError(
                f"fun must be callable as fun(x, *args) -> (loss, gradient); got {shortened(repr_of(fun))}"
            )
        return cls(fun, True, x0, args)

    @classmethod
    def from_model(
        cls,
        model: Any,
        params: Any,
        *,
        args: tuple[Any, ...] = (),
        loglike: str | None = None,
        score: str | None = None,
        names: Sequence[Any] | None = None,
    ) -> Problem:
        """The problem of a statistical model: its score is the gradient of its log-likelihood.

        The methods get the parameters as one flat array, as statsmodels' own optimisers pass them. The model
        is copied: it is never changed, and each worker has its own copy.

        Parameters
        ----------
        model : object with methods as those of a statsmodels model, model.loglike(params, *args) -> number
            and model.score(params, *args) -> (n,)
        params : (n,) floats, all that the methods take, alpha and the like included; an array, a list, or a
            pandas Series, whose labels name the coordinates. A (k, j) array or DataFrame, as a multinomial
            model has, is taken column by column
        args : whatever else both methods take, as a tuple
        loglike, score : the methods' names; None for the first that the model has of those in use, such as
            loglike or loglikelihood, and score or gradient
        names : n names of the coordinates; None for those of params, else those that the model has in
            param_names or exog_names, else none

        Raises
        ------
        InputError
            Naming the methods that the model does not have; where there are as many names as parameters not.

        Examples
        --------
        >>> import fastgrad
        >>> class Poisson:
        ...     exog_names = ["rate"]
        ...     def loglike(self, params):
        ...         return float(3 * params[0] - np.exp(params[0]))
        ...     def score(self, params):
        ...         return 2 - np.exp(params)
        >>> import numpy as np
        >>> report = fastgrad.check(fastgrad.Problem.from_model(Poisson(), [0.5]))
        >>> report.verdict, report.wrong[0].label
        ('disagree', "params['rate']")
        """
        cost = method_called(model, "loglike", loglike)
        gradient = method_called(model, "score", score)
        flat, own_names = flat_parameters(params)
        shown = coordinate_names(model, flat.size, own_names if names is None else names)
        return cls(
            ObjectMethod(copy_of(model), None, cost, is_cost=True),
            ObjectMethod(copy_of(model), None, gradient, is_cost=False),
            named(flat, shown),
            args,
        )


def _name(value: object) -> str:
    if value is None:
        return "None"
    return getattr(value, "__name__", None) or type(value).__name__
