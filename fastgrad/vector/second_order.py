"""check_hvp and check_hessian: second derivatives, against differences of the gradient."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Unpack

from fastgrad.checks import check
from fastgrad.errors import InputError
from fastgrad.options import CheckOptions, Options, takes_options
from fastgrad.problem.as_given import as_given
from fastgrad.problem.calls import calls_explained
from fastgrad.problem.parameters import Parameters
from fastgrad.problem.problem import Problem
from fastgrad.report.report import Report
from fastgrad.vector.claim_check import check_claim, with_symmetry
from fastgrad.vector.claims import TransposedProduct, WholeMatrix
from fastgrad.vector.cost_alone import AlongDirection, best_step, random_direction
from fastgrad.vector.function import MovedFunction
from fastgrad.vector.matrix import at, matrix
from fastgrad.vector.outputs import Outputs
from fastgrad.vector.projection import VectorProblem, require_callable
from fastgrad.verdict.rule import DISAGREE

BY_COST = (
    "there is no gradient: each coordinate is that of H v for one random v, against differences of "
    "v . grad f, which is itself a difference of the cost at steps of {step:.2g} of the parameters"
)


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
    with calls_explained(args, gradient=gradient), calls_explained(args, "v", hvp=hvp):
        claim = TransposedProduct(hvp, VectorProblem.of(gradient, params, args, options))
        return with_symmetry(check_claim(claim, options), claim.vector, claim.product)


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
    cost : callable(params, *args) -> float, where gradient is None: what is seen is then less sharp
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
    if gradient is not None:
        require_callable(gradient=gradient)
        with calls_explained(args, gradient=gradient, hessian=hessian):
            claim = WholeMatrix(hessian, VectorProblem.of(gradient, params, args, options))
            return with_symmetry(check_claim(claim, options), claim.vector, claim.matrix.transposed)
    if cost is None:
        raise InputError("check_hessian needs the gradient, or cost= where there is none", code="FG131")
    require_callable(cost=cost)
    with calls_explained(args, cost=cost, hessian=hessian):
        return _by_cost_alone(cost, hessian, params, args, options)


def _by_cost_alone(
    cost: Callable[..., Any], hessian: Any, params: Any, args: tuple[Any, ...], options: Mapping[str, Any]
) -> Report:
    """The check of v . grad f, whose gradient is H v; where that disagrees, once more at half the step."""
    parameters, seed = Parameters(params), Options.of(dict(options)).seed
    outputs = Outputs.of(parameters.build_arrays([leaf.copy() for leaf in parameters.leaves]))
    v = random_direction(MovedFunction(cost, parameters, args, outputs).sizes, seed)
    called = as_given(cost, parameters)
    first = AlongDirection(called, parameters, v, 1.0)
    h = best_step(first, parameters.build_arrays(parameters.leaves), args)

    def product(given: Any, *more: Any) -> Any:
        value = at(hessian, given, more)
        flat = matrix(value, parameters, outputs).times(v)
        return parameters.build_arrays([flat[b.start : b.stop] for b in parameters.blocks])

    for step in (h, h / 2):
        along = AlongDirection(cost, parameters, v, step)
        report = check(Problem(along, product, params, args), **options)
        if report.verdict != DISAGREE:
            break
    return replace(report, notes=(BY_COST.format(step=step), *report.notes))
