"""Functions made of the user's: half of a pair, and a gradient after its cost.

Each is called as the user's own is. It has the user's name, by which a checkpoint knows it, and gives each
worker a copy of a function that keeps state. `preflight` decides which of them a problem needs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from fastgrad.errors import InputError
from fastgrad.problem.as_given import AsGiven
from fastgrad.problem.describe import describe
from fastgrad.problem.matching import second_of_pair
from fastgrad.problem.naming import copy_for_worker, name_like
from fastgrad.problem.stateful import ObjectMethod


@dataclass(frozen=True, eq=False)
class HalfOfPair:
    """The loss, or the gradient, of a function that returns the pair (loss, gradient).

    Parameters
    ----------
    function : callable(params, *args) -> (loss, gradient)
    half : 0 for the loss, 1 for the gradient

    Examples
    --------
    >>> both = lambda x: (x**2, 2 * x)
    >>> HalfOfPair(both, 0)(3.0), HalfOfPair(both, 1)(3.0)
    (9.0, 6.0)
    """

    function: Callable[..., Any]
    half: int

    def __post_init__(self) -> None:
        name_like(self, self.function)

    def __call__(self, params: Any, *args: Any) -> Any:
        """That half of what the function returns."""
        found = self.function(params, *args)
        if second_of_pair(found) is None:
            raise InputError(
                f"the cost must return a pair (loss, gradient) at each call; got {describe(found)}",
                code="FG210",
            )
        return found[self.half]

    def for_worker(self) -> HalfOfPair:
        """The same, with its own copy of a function that keeps state."""
        return replace(self, function=copy_for_worker(self.function))


@dataclass(frozen=True, eq=False)
class CostFirst:
    """A gradient function before which the cost is called, at the same parameters.

    Parameters
    ----------
    cost, gradient : callables(params, *args)

    Examples
    --------
    >>> kept = {}
    >>> cost = lambda x: kept.update(x=x) or x**2
    >>> CostFirst(cost, lambda x: 2 * kept["x"])(3.0)
    6.0
    """

    cost: Callable[..., Any]
    gradient: Callable[..., Any]

    def __post_init__(self) -> None:
        name_like(self, self.gradient)

    def __call__(self, params: Any, *args: Any) -> Any:
        """The gradient, after a call of the cost."""
        self.cost(params, *args)
        return self.gradient(params, *args)


def cost_first(cost: Callable[..., Any], gradient: Callable[..., Any]) -> Callable[..., Any]:
    """The gradient function, so that each call is one of the cost before.

    Both calls get the same object as their parameters, and of a stateful object (`Problem.from_object`) both
    methods are those of the same copy.

    Parameters
    ----------
    cost, gradient : of a problem, which may be wrapped by `as_given`
    """
    if isinstance(gradient, AsGiven) and isinstance(cost, AsGiven):
        return replace(gradient, function=cost_first(cost.function, gradient.function))
    if isinstance(gradient, ObjectMethod) and isinstance(cost, ObjectMethod):
        cost = replace(cost, net=gradient.net)
    return CostFirst(cost, gradient)
