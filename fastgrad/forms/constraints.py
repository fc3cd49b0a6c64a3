"""The constraints of a call of scipy.optimize.minimize: what of them can be checked, and where they hold."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fastgrad.arrays import Floats
from fastgrad.errors import InputError
from fastgrad.forms.functions import (
    FROM_DIFFERENCES,
    Components,
    Rows,
    as_tuple,
    is_operator,
    is_update,
    require_function,
)
from fastgrad.forms.points import Linear
from fastgrad.printable import shortened
from fastgrad.problem.describe import describe, joined_names, repr_of

KEYS = ("type", "fun", "jac", "args")
TYPES = ("eq", "ineq")
_FORMS = "a dict with 'type' and 'fun', a NonlinearConstraint or a LinearConstraint"


@dataclass(frozen=True, eq=False)
class Constraint:
    """lower <= fun(x, *args) <= upper.

    Parameters
    ----------
    name : as messages call it, such as constraints[0]
    fun : callable(x, *args) -> (m,)
    jac : callable(x, *args) -> (m, n), or None where there is none to check
    hess : callable(x, v) -> the Hessian of v . fun(x), or None
    args : what fun and jac take beside x
    lower, upper : numbers, or (m,)
    """

    name: str
    fun: Components
    jac: Rows | None
    hess: Callable[..., Any] | None
    args: tuple[Any, ...]
    lower: Any
    upper: Any

    def holds(self, x: npt.NDArray[Any]) -> bool:
        """Whether x satisfies its inequalities, with finite values; equalities are left aside."""
        y = self.fun(x, *self.args)
        is_equality = np.equal(self.lower, self.upper)
        inside = (y >= np.asarray(self.lower)) & (y <= np.asarray(self.upper)) | is_equality
        return bool((np.isfinite(y) & inside).all())

    def combined(self, v: Floats) -> Callable[..., Any]:
        """v . fun(x)."""
        return lambda x: v @ self.fun(x)

    def gradient_of_combined(self, v: Floats) -> Callable[..., Any] | None:
        """J(x)^T v; None where there is no jac."""
        jac = self.jac
        return None if jac is None else lambda x: _transposed(jac(x), v)

    def hessian_of_combined(self, v: Floats) -> Callable[..., Any]:
        """hess(x, v)."""
        hess = self.hess
        assert hess is not None
        return lambda x: hess(x, v)


def constraints_of(constraints: Any, size: int) -> tuple[list[Constraint], list[Linear], list[str]]:
    """The constraints with functions, the linear ones, and notes on what there is nothing to check of.

    Parameters
    ----------
    constraints : as scipy.optimize.minimize takes them: one, or a list of them
    size : of x0

    Raises
    ------
    InputError
        For what is no constraint, naming wrong keys and what is missing.
    """
    nonlinear, linear, notes = [], [], []
    for k, one in enumerate(_listed(constraints)):
        name = f"constraints[{k}]"
        if isinstance(one, Mapping):
            nonlinear.append(_of_dict(name, one))
        elif hasattr(one, "A"):
            linear.append(_of_linear(name, one, size))
            notes.append(f"{name} is linear: there is nothing to check")
        elif hasattr(one, "fun"):
            nonlinear.append(_of_nonlinear(name, one))
        elif hasattr(one, "lb"):
            raise InputError(f"{name} is a Bounds: pass it as bounds=", code="FG713")
        else:
            raise InputError(f"{name} must be {_FORMS}; got {describe(one)}", code="FG713")
    notes += [f"{c.name} has no jac: there is nothing to check" for c in nonlinear if c.jac is None]
    return nonlinear, linear, notes


def _listed(constraints: Any) -> list[Any]:
    if constraints is None:
        return []
    if isinstance(constraints, list | tuple):
        return list(constraints)
    return [constraints]


def _of_dict(name: str, one: Mapping[Any, Any]) -> Constraint:
    unknown = [shortened(repr_of(key)) for key in one if key not in KEYS]
    if unknown:
        raise InputError(
            f"{name} has a key {joined_names(unknown)}: scipy knows {', '.join(KEYS)}", code="FG713"
        )
    missing = [key for key in ("type", "fun") if key not in one]
    if missing:
        raise InputError(f"{name} lacks {' and '.join(map(repr, missing))}", code="FG713")
    kind = str(one["type"]).lower()
    if kind not in TYPES:
        raise InputError(
            f"the type of {name} must be 'eq' or 'ineq'; got {shortened(repr_of(one['type']))}", code="FG713"
        )
    require_function(f"the fun of {name}", one["fun"], "fun(x, *args)")
    jac = _jac_of(name, one.get("jac"))
    upper = 0.0 if kind == "eq" else np.inf
    return Constraint(
        name,
        Components(one["fun"], f"the fun of {name}"),
        jac,
        None,
        as_tuple(one.get("args", ())),
        0.0,
        upper,
    )


def _of_nonlinear(name: str, one: Any) -> Constraint:
    require_function(f"the fun of {name}", one.fun, "fun(x)")
    hess = getattr(one, "hess", None)
    if not callable(hess) or is_update(hess):
        hess = None
    return Constraint(
        name, Components(one.fun, f"the fun of {name}"), _jac_of(name, one.jac), hess, (), one.lb, one.ub
    )


def _of_linear(name: str, one: Any, size: int) -> Linear:
    A = one.A.tocsr() if hasattr(one.A, "tocsr") else np.atleast_2d(one.A)
    if A.shape[1] != size:
        raise InputError(
            f"the matrix of {name} must have a column for each of the {size:,} entries of x0; got shape "
            f"{A.shape}",
            code="FG713",
        )
    lower, upper = (np.broadcast_to(np.asarray(v, np.float64), A.shape[:1]) for v in (one.lb, one.ub))
    return Linear(A, lower, upper)


def _jac_of(name: str, jac: Any) -> Rows | None:
    if jac is None or (isinstance(jac, str) and jac in FROM_DIFFERENCES):
        return None
    require_function(f"the jac of {name}", jac, "jac(x, *args)")
    return Rows(jac, f"the jac of {name}")


def _transposed(J: Any, v: Floats) -> Any:
    return np.asarray(J.rmatvec(v) if is_operator(J) else J.T @ v).reshape(-1)
