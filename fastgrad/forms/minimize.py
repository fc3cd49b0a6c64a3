"""check_minimize: all derivatives in a call of scipy.optimize.minimize."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from fastgrad.forms.bounds import within
from fastgrad.forms.constraints import Constraint, constraints_of
from fastgrad.forms.curvature import Curvature, has_room, hessian_check
from fastgrad.forms.functions import place
from fastgrad.forms.objective import Objective
from fastgrad.forms.points import Linear, has_value, random_points
from fastgrad.forms.several import Checks, free_coordinates, named_places
from fastgrad.options import Options, takes_options
from fastgrad.report.reports import Reports
from fastgrad.vector.jacobian import check_jacobian

MULTIPLIERS = 0x6D756C74
"""Keeps the random multipliers of constraints apart from other random numbers ("mult")."""


@takes_options
def check_minimize(
    fun: Callable[..., Any],
    x0: Any,
    args: Any = (),
    method: Any = None,
    jac: Any = None,
    hess: Any = None,
    hessp: Any = None,
    bounds: Any = None,
    constraints: Any = (),
    tol: Any = None,
    callback: Any = None,
    options: Any = None,
    *,
    points: int = 2,
    **check_options: Any,
) -> Reports:
    """Check all derivatives in a call of scipy.optimize.minimize, at x0 and at feasible random points.

    Parameters
    ----------
    fun : callable(x, *args) -> number; with jac=True (number, gradient)
    x0 : (n,) floats, inside of the bounds; the labels of a pandas Series name the coordinates
    args : what fun, jac, hess and hessp take beside x
    method : scipy's, on which no derivative depends; the differences are central ones
    jac : callable(x, *args) -> (n,); True; or what scipy does without, of which there is nothing to check
    hess : callable(x, *args) -> (n, n) array, sparse matrix or LinearOperator; one of these, if it is the
        same everywhere; or an update formula, of which there is nothing to check
    hessp : callable(x, p, *args) -> (n,), the Hessian times p
    bounds : n pairs (low, high), or Bounds; no function is called outside of them
    constraints : a dict, a NonlinearConstraint, a LinearConstraint, or a list of them
    tol, callback, options : scipy's, on which no derivative depends
    points : how many random points are taken beside x0, near it; they satisfy the bounds, and the constraints
        that x0 satisfies but nonlinear equalities
    options : each a keyword of its own

    Returns
    -------
    Reports
        `.reports` has one for each derivative and point, by names such as "constraints[0].jac at x0".

    Raises
    ------
    InputError
        Where there is no derivative to check, and for what scipy would not take; the message says what to
        try.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy.optimize import rosen, rosen_der, rosen_hess
    >>> check_minimize(rosen, np.array([1.3, 0.7, 0.8]), jac=rosen_der, hess=rosen_hess).verdict
    'agree'
    """
    del method, tol, callback, options
    seed = Options.of(dict(check_options)).seed
    objective = Objective.of(fun, x0, args, jac, bounds)
    nonlinear, linear, notes = constraints_of(constraints, objective.x0.size)
    checks = Checks(notes=notes)
    curvature = Curvature.of(objective, hess, hessp, checks)
    for where, x in _places(objective, nonlinear, linear, points, seed, checks):
        objective.add_gradient(checks, where, x)
        curvature.add(checks, where, x)
        for constraint in nonlinear:
            _add_constraint(checks, objective, constraint, where, x, seed)
    return checks.make(free_coordinates(check_options, objective.box, checks))


def _places(
    objective: Objective,
    nonlinear: list[Constraint],
    linear: list[Linear],
    points: int,
    seed: int,
    checks: Checks,
) -> list[tuple[str, npt.NDArray[Any]]]:
    """x0 and random points, by what they are called."""
    kept = [c for c in nonlinear if has_value(c.holds, objective.x0)]
    broken = [c.name for c in nonlinear if c not in kept]
    if broken:
        checks.note(f"x0 does not satisfy {', '.join(broken)}; derivatives are checked there all the same")

    def accepts(x: npt.NDArray[Any]) -> bool:
        is_finite = bool(np.isfinite(objective.cost(x, *objective.args)))
        return is_finite and all(c.holds(x) for c in kept)

    found = random_points(objective.x0, objective.box, linear, accepts, points, seed)
    return named_places(objective.x0, found, points, checks)


def _add_constraint(
    checks: Checks, objective: Objective, constraint: Constraint, where: str, x: npt.NDArray[Any], seed: int
) -> None:
    """The checks of a constraint's jac and hess at a point."""
    params, box, jac = place(x, objective.names), objective.box, constraint.jac
    values = constraint.fun(x.copy(), *constraint.args)
    if jac is not None:
        fun = within(constraint.fun, box, np.full(values.shape, np.nan))
        checks.add(
            f"{constraint.name}.jac at {where}",
            lambda given: check_jacobian(fun, jac, params, args=constraint.args, **given),
        )
    name = f"{constraint.name}.hess at {where}"
    if constraint.hess is not None and has_room(checks, name, constraint.jac, box, x):
        v = np.random.default_rng([seed, MULTIPLIERS]).uniform(0.5, 1.5, values.size)
        gradient = constraint.gradient_of_combined(v)
        if gradient is not None:
            gradient = within(gradient, box, np.full(x.size, np.nan))
        cost, hess = within(constraint.combined(v), box, np.nan), constraint.hessian_of_combined(v)
        checks.add(name, hessian_check(gradient, hess, params, x, cost))
