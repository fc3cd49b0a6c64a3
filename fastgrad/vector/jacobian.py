"""check_jacobian: a whole Jacobian, dense, sparse or a LinearOperator."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Unpack

import numpy as np

from fastgrad.options import CheckOptions, takes_options
from fastgrad.problem.calls import calls_explained
from fastgrad.report.report import Report
from fastgrad.vector.adjoint import Identity, adjoint_identity
from fastgrad.vector.claim_check import check_claim
from fastgrad.vector.claims import WholeMatrix
from fastgrad.vector.matrix import Operator, at, matrix
from fastgrad.vector.outputs import Function
from fastgrad.vector.products import check_jvp
from fastgrad.vector.projection import VectorProblem
from fastgrad.verdict.rule import DISAGREE

NOT_ONE_MATRIX = (
    "matvec and rmatvec of the LinearOperator do not belong to one matrix: u . (J v) = {:.9g} and "
    "(J^T u) . v = {:.9g} for random u and v"
)


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
    with calls_explained(args, function=function, jacobian=jacobian):
        vector = VectorProblem.of(function, params, args, options)
        identity = _two_ways(jacobian, vector)
        report = check_claim(WholeMatrix(jacobian, vector), options)
        if identity is None or identity.holds:
            return report
        if report.verdict != DISAGREE:
            report = check_jvp(function, _matvec(jacobian, vector), params, args=args, **options)
        said = NOT_ONE_MATRIX.format(identity.left, identity.right)
        return replace(report, diagnosis=(said, *report.diagnosis))


def _two_ways(jacobian: Any, vector: VectorProblem) -> Identity | None:
    """Of a LinearOperator, whether matvec and rmatvec belong to one matrix; None for any other Jacobian."""
    found = WholeMatrix(jacobian, vector).matrix
    if not isinstance(found, Operator):
        return None
    moved, seed = vector.moved, vector.options.seed
    return adjoint_identity(found.times, found.transposed, vector.weights, moved.sizes, moved.epsilon, seed)


def _matvec(jacobian: Any, vector: VectorProblem) -> Callable[..., Any]:
    """The products J v of a LinearOperator, as a jvp."""

    def product(params: Any, v: Any, *args: Any) -> Any:
        flat = np.concatenate([np.reshape(leaf, -1) for leaf in vector.parameters.match(v, "vector")])
        found = matrix(at(jacobian, params, args), vector.parameters, vector.outputs)
        return vector.outputs.structure(found.times(np.asarray(flat, dtype=np.float64)))

    return product
