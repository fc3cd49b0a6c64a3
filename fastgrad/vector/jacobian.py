"""check_jacobian: a whole Jacobian, dense, sparse or a LinearOperator."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Unpack

from fastgrad.checks import check
from fastgrad.options import CheckOptions, takes_options
from fastgrad.problem.naming import name_like
from fastgrad.report.report import Report
from fastgrad.vector.matrix import Matrix, matrix
from fastgrad.vector.outputs import Function
from fastgrad.vector.projection import VectorProblem


@takes_options
def check_jacobian(
    function: Function,
    jacobian: Any,
    params: Any,
    *,
    args: tuple[Any, ...] = (),
    **options: Unpack[CheckOptions],
) -> Report:
    """Check a Jacobian against finite differences of the function.

    Parameters
    ----------
    function : callable(params, *args) -> array of any shape, or a structure of arrays: m outputs
    jacobian : callable(params, *args) -> J, or J itself: an array (m, n), or (*output shape, *parameter
        shape); a scipy.sparse matrix (m, n), whose stored entries say where J may be other than 0; a
        LinearOperator (m, n); or for several blocks arrays nested as [output][parameter]
    params : as for check_gradient, n numbers
    args : whatever else both take, as a tuple
    options : each a keyword of its own

    Returns
    -------
    Report
        Of the gradient J^T w of w . function(params) for one random w (drawn by `seed`).

    Raises
    ------
    InputError
        When the function or the Jacobian cannot be checked as it was given; the message says what to try.

    Examples
    --------
    >>> import numpy as np
    >>> function = lambda x: np.array([x[0] * x[1], x[1] ** 2])
    >>> jacobian = lambda x: np.array([[x[1], x[0]], [0.0, 2 * x[1]]])
    >>> check_jacobian(function, jacobian, np.array([1.0, 2.0])).verdict
    'agree'
    """
    vector = VectorProblem.of(function, params, args, options)
    gradient = _Transposed(jacobian, vector)
    problem = vector.gradient_problem(gradient if callable(jacobian) else gradient.of(jacobian))
    return check(problem, **options)


@dataclass(frozen=True, eq=False)
class _Transposed:
    """J^T w of a function that returns J."""

    jacobian: Callable[..., Any]
    vector: VectorProblem

    def __post_init__(self) -> None:
        name_like(self, self.jacobian)

    def __call__(self, params: Any, *args: Any) -> Any:
        return self.of(self.jacobian(params, *args))

    def of(self, value: Any) -> Any:
        """J^T w of one J."""
        found: Matrix = matrix(value, self.vector.parameters, self.vector.outputs)
        return self.vector.in_parameters(found.transposed(self.vector.weights))
