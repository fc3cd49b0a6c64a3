"""The objective of a call of scipy.optimize.minimize, and its gradient, as the checks take them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fastgrad.checks import check
from fastgrad.errors import InputError
from fastgrad.forms.bounds import Box, within
from fastgrad.forms.functions import (
    FROM_DIFFERENCES,
    Value,
    Vector,
    as_tuple,
    place,
    require_function,
    start,
)
from fastgrad.forms.several import Checks
from fastgrad.preflight.pairs import half_of
from fastgrad.problem.describe import describe
from fastgrad.problem.matching import second_of_pair
from fastgrad.problem.problem import Problem


@dataclass(frozen=True, eq=False)
class Objective:
    """fun and its gradient, as the checks take them.

    Parameters
    ----------
    cost : fun, or the first half of what it returns; NaN beyond the bounds
    gradient : jac, or the second half of what fun returns; None where scipy takes differences
    x0 : (n,) where the optimiser starts
    names : of the coordinates, if they have any
    args : what both take beside x
    box : the bounds
    """

    cost: Callable[..., Any]
    gradient: Vector | None
    x0: npt.NDArray[Any]
    names: tuple[Any, ...] | None
    args: tuple[Any, ...]
    box: Box

    @classmethod
    def of(cls, fun: Any, x0: Any, args: Any, jac: Any, bounds: Any) -> Objective:
        """From a call of minimize.

        Raises
        ------
        InputError
            For arguments that scipy would not take, and for x0 outside of its bounds.
        """
        require_function("fun", fun, "fun(x, *args)")
        start_at, names = start(x0)
        box = Box.of_minimize(bounds, start_at.size)
        box.require_inside(start_at, names)
        args, is_pair = as_tuple(args), isinstance(jac, bool | np.bool_) and bool(jac)
        value = _value_alone(fun, start_at, args, is_pair)
        cost, gradient = (half_of(fun, 0), half_of(fun, 1)) if is_pair else (fun, _function_of(jac))
        if np.ndim(value) > 0:
            cost = Value(cost)
        vector = None if gradient is None else Vector(gradient, start_at.size, "jac")
        return cls(within(cost, box, np.nan), vector, start_at, names, args, box)

    @property
    def gradient_within(self) -> Callable[..., Any] | None:
        """The gradient, NaN beyond the bounds."""
        if self.gradient is None:
            return None
        return within(self.gradient, self.box, np.full(self.x0.size, np.nan))

    def add_gradient(self, checks: Checks, where: str, x: npt.NDArray[Any]) -> None:
        """The check of jac at a point, if there is a jac."""
        if self.gradient is None:
            checks.note("jac is not a function: scipy takes differences of fun, there is nothing to check")
            return
        problem = Problem(self.cost, self.gradient, place(x, self.names), self.args)
        checks.add(f"jac at {where}", lambda options: check(problem, **options))


def _value_alone(fun: Callable[..., Any], x0: npt.NDArray[Any], args: tuple[Any, ...], is_pair: bool) -> Any:
    """fun(x0), the first of a pair; InputError where it is a pair and should be none, or the reverse."""
    value = fun(x0.copy(), *args)
    second = second_of_pair(value)
    if is_pair and second is None:
        if isinstance(value, tuple | list) and len(value) == 2 and np.size(value[0]) == 1:
            return value[0]
        raise InputError(
            f"jac=True says that fun returns (value, gradient); got {describe(value)}", code="FG718"
        )
    if not is_pair and second is not None:
        raise InputError(
            f"fun returns a pair, a number and {describe(second)}: say jac=True if that is its gradient, "
            "else let it return the number alone",
            code="FG718",
        )
    return value[0] if is_pair else (value if np.size(value) == 1 else 0.0)


def _function_of(jac: Any) -> Callable[..., Any] | None:
    if callable(jac):
        return jac  # type: ignore[no-any-return]
    if jac is None or jac is False or (isinstance(jac, str) and jac in FROM_DIFFERENCES):
        return None
    raise InputError(
        f"jac must be a function jac(x, *args), True, or one of {', '.join(FROM_DIFFERENCES)}; got "
        f"{describe(jac)}. For the numbers of a gradient there is check_gradient(fun, numbers, x0)",
        code="FG714",
    )
