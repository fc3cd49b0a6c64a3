"""check_least_squares: all derivatives in a call of scipy.optimize.least_squares."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from fastgrad.checks import check_gradient
from fastgrad.errors import InputError
from fastgrad.forms.bounds import Box, within
from fastgrad.forms.functions import (
    FROM_DIFFERENCES,
    Components,
    Rows,
    as_tuple,
    place,
    require_function,
    start,
)
from fastgrad.forms.points import random_points
from fastgrad.forms.several import Checks, free_coordinates, named_places
from fastgrad.options import Options, takes_options
from fastgrad.problem.describe import describe
from fastgrad.report.reports import Reports
from fastgrad.vector.jacobian import check_jacobian

UNBOUNDED = (-np.inf, np.inf)

LEFT_ASIDE = {
    "ftol", "xtol", "gtol", "x_scale", "diff_step", "tr_solver", "tr_options", "max_nfev", "verbose",
    "callback", "workers",
}  # fmt: skip
"""Keywords of scipy's on which no derivative depends."""


@takes_options
def check_least_squares(
    fun: Callable[..., Any],
    x0: Any,
    jac: Any = "2-point",
    bounds: Any = UNBOUNDED,
    method: Any = "trf",
    *,
    loss: Any = "linear",
    f_scale: float = 1.0,
    jac_sparsity: Any = None,
    args: Any = (),
    kwargs: dict[str, Any] | None = None,
    points: int = 2,
    **options: Any,
) -> Reports:
    """Check all derivatives in a call of scipy.optimize.least_squares, at x0 and at random points.

    Other keywords of scipy's, such as ftol and max_nfev, are taken and left aside.

    Parameters
    ----------
    fun : callable(x, *args, **kwargs) -> (m,) residuals, or a number
    x0 : (n,) floats, inside of the bounds; the labels of a pandas Series name the coordinates
    jac : callable(x, *args, **kwargs) -> (m, n) array, sparse matrix or LinearOperator; or what scipy does
        without, of which there is nothing to check
    bounds : (low, high), a number or (n,) each, or Bounds; no function is called outside of them
    method : scipy's, on which no derivative depends; the differences are central ones
    loss : scipy's; of a function loss(z) -> (3, m), both derivatives are checked
    f_scale : scipy's: loss gets the squares of residuals over it
    jac_sparsity : scipy's, for its own differences: there is nothing to check
    args, kwargs : what fun and jac take beside x
    points : how many random points within the bounds are taken beside x0, near it
    options : each a keyword of its own

    Returns
    -------
    Reports
        `.reports` has one for each derivative and point, by names such as "jac at x0".

    Raises
    ------
    InputError
        Where there is no derivative to check, and for what scipy would not take; the message says what to
        try.

    Examples
    --------
    >>> t, y = np.linspace(0, 1, 20), np.ones(20)
    >>> fun = lambda x: x[0] * np.exp(x[1] * t) - y
    >>> jac = lambda x: np.stack([np.exp(x[1] * t), x[0] * t * np.exp(x[1] * t)], axis=1)
    >>> check_least_squares(fun, np.array([1.0, 0.5]), jac=jac).verdict
    'agree'
    """
    del method, jac_sparsity
    given = {name: value for name, value in options.items() if name not in LEFT_ASIDE}
    seed = Options.of(given).seed
    residuals, jacobian = _functions(fun, jac, kwargs or {})
    start_at, names = start(x0)
    box, args = Box.of_least_squares(bounds, start_at.size), as_tuple(args)
    box.require_inside(start_at, names)
    y = residuals(start_at.copy(), *args)
    inside, checks = within(residuals, box, np.full(y.shape, np.nan)), Checks()

    def accepts(x: npt.NDArray[Any]) -> bool:
        return bool(np.isfinite(residuals(x, *args)).all())

    if jacobian is None:
        checks.note("jac is not a function: scipy takes differences of fun, there is nothing to check")
    else:
        found = random_points(start_at, box, (), accepts, points, seed)
        for where, x in named_places(start_at, found, points, checks):
            _add_jacobian(checks, where, inside, jacobian, place(x, names), args)
    if callable(loss):
        _add_loss(checks, loss, (y / f_scale) ** 2)
    return checks.make(free_coordinates(given, box, checks) if jacobian else given)


def _functions(fun: Any, jac: Any, kwargs: dict[str, Any]) -> tuple[Components, Rows | None]:
    require_function("fun", fun, "fun(x, *args, **kwargs)")
    if kwargs:
        fun = partial(fun, **kwargs)
    if jac is None or (isinstance(jac, str) and jac in FROM_DIFFERENCES):
        return Components(fun), None
    if not callable(jac) or isinstance(jac, type):
        raise InputError(
            f"jac must be a function jac(x, *args, **kwargs), or one of {', '.join(FROM_DIFFERENCES)}; got "
            f"{describe(jac)}",
            code="FG714",
        )
    return Components(fun), Rows(partial(jac, **kwargs) if kwargs else jac)


def _add_jacobian(
    checks: Checks, where: str, fun: Callable[..., Any], jac: Rows, params: Any, args: tuple[Any, ...]
) -> None:
    checks.add(f"jac at {where}", lambda options: check_jacobian(fun, jac, params, args=args, **options))


def _add_loss(checks: Checks, loss: Callable[..., Any], z: npt.NDArray[Any]) -> None:
    """The checks of rho' and rho'' of a loss at z = (residual / f_scale)^2, entry by entry."""
    shape = np.shape(loss(z.copy()))
    if shape != (3, z.size):
        raise InputError(
            f"loss must return rho, rho' and rho'' of {z.size} numbers, shape (3, {z.size}); got {shape}",
            code="FG717",
        )
    for order, name in ((1, "loss' at x0"), (2, "loss'' at x0")):
        checks.add(name, _loss_check(loss, order, z))


def _loss_check(loss: Callable[..., Any], order: int, z: npt.NDArray[Any]) -> Any:
    def check(options: dict[str, Any]) -> Any:
        own = {name: value for name, value in options.items() if name != "coordinates"}
        return check_gradient(
            lambda z: np.sum(np.asarray(loss(z))[order - 1]), lambda z: np.asarray(loss(z))[order], z, **own
        )

    return check
