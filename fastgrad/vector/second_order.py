"""check_hvp and check_hessian: second derivatives, against differences of the gradient."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Unpack

from fastgrad.errors import InputError
from fastgrad.options import CheckOptions, takes_options
from fastgrad.report.report import Report
from fastgrad.vector.jacobian import check_jacobian
from fastgrad.vector.projection import VectorProblem, require_callable


@takes_options
def check_hvp(
    gradient: Callable[..., Any],
    hvp: Callable[..., Any],
    params: Any,
    *,
    args: tuple[Any, ...] = (),
    **options: Unpack[CheckOptions],
) -> Report:
    """Check a Hessian-vector product against finite differences of the gradient.

    Parameters
    ----------
    gradient : callable(params, *args) -> the gradient, in the structure of params; check it first
    hvp : callable(params, v, *args) -> H v in the structure of params, for v in the same structure
    params : as for check_gradient
    args : whatever else both take, as a tuple
    options : each a keyword of its own

    Returns
    -------
    Report
        Of the gradient H w of w . gradient(params) for one random w (drawn by `seed`).

    Raises
    ------
    InputError
        When the gradient or the product cannot be checked as it was given; the message says what to try.

    Examples
    --------
    >>> import numpy as np
    >>> check_hvp(lambda x: x**3, lambda x, v: 3 * x**2 * v, np.arange(1.0, 4.0)).verdict
    'agree'
    """
    require_callable(gradient=gradient, hvp=hvp)
    return VectorProblem.of(gradient, params, args, options).check(hvp, options)


@takes_options
def check_hessian(
    gradient: Callable[..., Any] | None,
    hessian: Any,
    params: Any,
    *,
    cost: Callable[..., Any] | None = None,
    args: tuple[Any, ...] = (),
    **options: Unpack[CheckOptions],
) -> Report:
    """Check a Hessian against finite differences of the gradient.

    Parameters
    ----------
    gradient : callable(params, *args) -> the gradient, in the structure of params; None where there is none
    hessian : callable(params, *args) -> H, or H itself, as for check_jacobian
    params : as for check_gradient
    cost : callable(params, *args) -> float, where gradient is None
    args : whatever else all of them take, as a tuple
    options : each a keyword of its own

    Returns
    -------
    Report
        As of check_jacobian.

    Raises
    ------
    InputError
        When it cannot be checked as it was given; the message says what to try.

    Examples
    --------
    >>> import numpy as np
    >>> check_hessian(lambda x: x**3, lambda x: np.diag(3 * x**2), np.arange(1.0, 4.0)).verdict
    'agree'
    """
    if gradient is None:
        raise InputError("check_hessian needs the gradient; from the cost alone it does not work yet")
    require_callable(gradient=gradient)
    return check_jacobian(gradient, hessian, params, args=args, **options)
