"""check_model: the score and the Hessian of a statistical model, such as one of statsmodels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Unpack

import numpy as np

from fastgrad.checks import check
from fastgrad.errors import InputError
from fastgrad.forms.several import Checks
from fastgrad.options import CheckOptions, takes_options
from fastgrad.problem.model import flat_parameters, method_called
from fastgrad.problem.problem import Problem
from fastgrad.problem.stateful import ObjectMethod, copy_of
from fastgrad.report.reports import Reports
from fastgrad.vector.jacobian import check_jacobian
from fastgrad.vector.second_order import check_hessian

EACH = ("loglikeobs", "loglike_obs"), ("score_obs",)
"""What the log-likelihoods of single observations, and their gradients, are called."""


@takes_options
def check_model(
    model: Any,
    params: Any,
    *,
    args: tuple[Any, ...] = (),
    loglike: str | None = None,
    score: str | None = None,
    hessian: str | None = None,
    names: Sequence[Any] | None = None,
    **options: Unpack[CheckOptions],
) -> Reports:
    """Check the derivatives that a statistical model has: score, Hessian, and the scores of observations.

    Parameters
    ----------
    model : object with methods as those of a statsmodels model: loglike(params, *args) -> number, score ->
        (n,), and if it has them hessian -> (n, n), loglikeobs -> (N,), score_obs -> (N, n)
    params, args : as for Problem.from_model
    loglike, score, hessian : the methods' names; None for the first that the model has of those in use
    names : n names of the coordinates; None for those of params, or of the model
    options : each a keyword of its own

    Returns
    -------
    Reports
        `.reports` has "score", and "hessian" and "score_obs" where the model has them.

    Raises
    ------
    InputError
        Naming the methods that the model does not have.

    Examples
    --------
    >>> class Poisson:
    ...     def loglike(self, params):
    ...         return float(3 * params[0] - np.exp(params[0]))
    ...     def score(self, params):
    ...         return 3 - np.exp(params)
    ...     def hessian(self, params):
    ...         return np.diag(np.exp(params))
    >>> check_model(Poisson(), [0.5])
    <fastgrad.Reports: disagree, 1 of 2 checks passed>
    """
    problem = Problem.from_model(model, params, args=args, loglike=loglike, score=score, names=names)
    made = _Checks(Checks(), copy_of(model), problem, args)
    made.checks.add("score", lambda given: check(problem, **given))
    made.add_hessian(_hessian(model, hessian))
    made.add_observations()
    return made.checks.make(options)


@dataclass(frozen=True, eq=False)
class _Checks:
    """The checks beside that of the score, with a copy of the model that they have in common."""

    checks: Checks
    model: Any
    problem: Problem
    args: tuple[Any, ...]

    def add_hessian(self, name: str | None) -> None:
        """The check of the Hessian, if there is one."""
        if name is None or self._value(name) is None:
            self.checks.note(f"{type(self.model).__name__} has no hessian: there is nothing to check")
            return
        score, hess = self._method(self.problem.gradient.method), self._method(name)
        at, args = self.problem.params, self.args
        self.checks.add("hessian", lambda given: check_hessian(score, hess, at, args=args, **given))

    def add_observations(self) -> None:
        """The check of the scores of observations, if there is one log-likelihood for each."""
        values, scores = (next((n for n in names if self._value(n) is not None), "") for names in EACH)
        if not (values and scores):
            return
        if (shape := np.shape(self._value(values))) != np.shape(self._value(scores))[:1]:
            self.checks.note(f"{scores} is not checked: {values} gives shape {shape}, no number for each row")
            return
        fun, jac, at, args = self._method(values), self._method(scores), self.problem.params, self.args
        self.checks.add(scores, lambda given: check_jacobian(fun, jac, at, args=args, **given))

    def _method(self, name: str) -> ObjectMethod:
        return ObjectMethod(self.model, None, name, is_cost=False)

    def _value(self, name: str) -> Any:
        """What a method gives at the parameters; None where the model does not have it."""
        if not callable(getattr(self.model, name, None)):
            return None
        try:
            return self._method(name)(flat_parameters(self.problem.params)[0].copy(), *self.args)
        except NotImplementedError:
            return None


def _hessian(model: Any, name: str | None) -> str | None:
    """The name of the method; None where the model has none of those in use."""
    try:
        return method_called(model, "hessian", name)
    except InputError:
        if name is not None:
            raise
        return None
