"""Second derivatives as scipy's optimisers take them: Hessians, dense, sparse or by products."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fastgrad.errors import InputError
from fastgrad.forms.bounds import Box
from fastgrad.forms.functions import (
    FROM_DIFFERENCES,
    Vector,
    is_operator,
    is_update,
    place,
    require_function,
)
from fastgrad.forms.objective import Objective
from fastgrad.forms.several import Check, Checks
from fastgrad.problem.describe import describe
from fastgrad.problem.naming import name_like
from fastgrad.vector.second_order import check_hessian, check_hvp


@dataclass(frozen=True, eq=False)
class Curvature:
    """hess and hessp of an objective."""

    objective: Objective
    hess: Any
    hessp: Vector | None

    @classmethod
    def of(cls, objective: Objective, hess: Any, hessp: Any, checks: Checks) -> Curvature:
        """From hess= and hessp=; what scipy makes itself becomes a note."""
        if is_update(hess) or (isinstance(hess, str) and hess in FROM_DIFFERENCES):
            checks.note(f"hess is {_shown(hess)}: scipy makes it itself, there is nothing to check")
            hess = None
        elif isinstance(hess, str) or (hess is not None and not callable(hess) and not _is_matrix(hess)):
            raise InputError(
                "hess must be a function hess(x, *args), a matrix, a HessianUpdateStrategy, or one of "
                f"{', '.join(FROM_DIFFERENCES)}; got {describe(hess)}",
                code="FG714",
            )
        if hessp is not None:
            require_function("hessp", hessp, "hessp(x, p, *args)")
            hessp = Vector(hessp, objective.x0.size, "hessp")
        return cls(objective, hess, hessp)

    def add(self, checks: Checks, where: str, x: npt.NDArray[Any]) -> None:
        """The checks of hess and hessp at a point, of what there is."""
        objective, params = self.objective, place(x, self.objective.names)
        gradient, args = objective.gradient_within, objective.args
        if self.hess is not None:
            name = f"hess at {where}"
            if has_room(checks, name, gradient, objective.box, x):
                checks.add(name, hessian_check(gradient, self.hess, params, x, objective.cost, args))
        if (hessp := self.hessp) is None:
            return
        if gradient is None:
            checks.could_not("hessp: it is compared with differences of the gradient, and there is no jac")
            return
        checks.add(f"hessp at {where}", lambda given: check_hvp(gradient, hessp, params, args=args, **given))


def _shown(hess: Any) -> str:
    """What a Hessian that scipy makes itself is called."""
    return repr(hess) if isinstance(hess, str) else f"{type(hess).__name__}()"


def _is_matrix(hess: Any) -> bool:
    return is_operator(hess) or np.ndim(hess) == 2 or hasattr(hess, "tocsc")


def has_room(
    checks: Checks, name: str, gradient: Callable[..., Any] | None, box: Box, x: npt.NDArray[Any]
) -> bool:
    """Whether a Hessian can be checked at x: from the cost alone not on a bound, which becomes a note."""
    if gradient is not None or not box.touches(x):
        return True
    checks.note(
        f"{name} is not checked: without jac it takes points on all sides, and this one lies on a bound"
    )
    return False


def hessian_check(
    gradient: Callable[..., Any] | None,
    hess: Any,
    params: Any,
    x: npt.NDArray[Any],
    cost: Callable[..., Any],
    args: tuple[Any, ...] = (),
) -> Check:
    """The check of a Hessian; of a LinearOperator that of its products, since it need not have a transpose.

    Parameters
    ----------
    gradient : callable(x, *args) -> (n,); None where there is none
    hess : callable(x, *args) -> H, or H itself: an array, a sparse matrix or a LinearOperator
    params : the point, with names
    x : the same without
    cost : callable(x, *args) -> number
    args : what all of them take beside x
    """
    at_x = hess if is_operator(hess) or not callable(hess) else hess(x.copy(), *args)
    if gradient is not None and is_operator(at_x):
        return lambda options: check_hvp(gradient, Product(hess), params, args=args, **options)
    return lambda options: check_hessian(gradient, hess, params, cost=cost, args=args, **options)


@dataclass(frozen=True, eq=False)
class Product:
    """H v of a LinearOperator, or of a function that returns one.

    Parameters
    ----------
    hess : callable(x, *args) -> LinearOperator, or a LinearOperator
    """

    hess: Any

    def __post_init__(self) -> None:
        name_like(self, self.hess)

    def __call__(self, x: Any, v: Any, *args: Any) -> Any:
        """H v."""
        H = self.hess if is_operator(self.hess) else self.hess(x, *args)
        return H.matvec(v)
