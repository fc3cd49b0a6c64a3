"""Constraints as scipy takes them, read."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse
from scipy.optimize import LinearConstraint, NonlinearConstraint

from fastgrad.errors import InputError
from fastgrad.forms.constraints import constraints_of

X = np.array([1.0, 2.0])


def fun(x):
    """Two functions."""
    return [x[0] * x[1], x[0] - 1]


def jac(x):
    """Their Jacobian."""
    return np.array([[x[1], x[0]], [1.0, 0.0]])


def test_none():
    """No constraints are none, as nothing or as an empty list."""
    assert constraints_of(None, 2) == constraints_of((), 2) == constraints_of([], 2) == ([], [], [])


def test_dicts():
    """'ineq' is fun >= 0; an equality does not make a point infeasible, for its derivatives exist anyway."""
    [one], _, notes = constraints_of({"type": "ineq", "fun": fun}, 2)
    assert one.holds(X)
    assert not one.holds(-X)
    assert notes == ["constraints[0] has no jac: there is nothing to check"]
    [two], _, notes = constraints_of([{"type": "EQ", "fun": fun, "jac": jac}], 2)
    assert two.holds(-X)
    assert (two.name, notes) == ("constraints[0]", [])


def test_finite():
    """A point without finite values does not satisfy a constraint."""
    [one], _, _ = constraints_of({"type": "eq", "fun": lambda x: x[0] * np.nan}, 2)
    assert not one.holds(X)


def test_combinations():
    """v . fun has the gradient J^T v and the Hessian hess(x, v), for dense, sparse and no Jacobians."""
    v = np.array([2.0, 3.0])
    for J in (jac, lambda x: sparse.csr_array(jac(x))):
        [one], _, _ = constraints_of(NonlinearConstraint(fun, 0, 9, jac=J, hess=lambda x, v: v[0]), 2)
        assert one.combined(v)(X) == 4.0
        assert one.gradient_of_combined(v)(X).tolist() == [7.0, 2.0]
        assert one.hessian_of_combined(v)(X) == 2.0
    [none], _, _ = constraints_of(NonlinearConstraint(fun, 0, 9), 2)
    assert none.gradient_of_combined(v) is none.hess is None


def test_linear():
    """A linear constraint keeps its matrix, dense or sparse, one row or several."""
    some = [LinearConstraint([1, 1], 0, 3), LinearConstraint(sparse.csr_array(np.eye(2)), 0, [1, 2])]
    _, linear, notes = constraints_of(some, 2)
    assert [one.holds(X) for one in linear] == [True, True]
    assert [one.holds(3 * X) for one in linear] == [False, False]
    assert notes[1] == "constraints[1] is linear: there is nothing to check"


# what is returned or given, what is said
REFUSED = (
    (
        lambda x: None,
        jac,
        r"the fun of constraints\[0\] must return a vector .* got NoneType None. Is a return",
    ),
    (jac, jac, r"the fun of constraints\[0\] must return a vector .* got float64 array of shape \(2, 2\)"),
    (
        fun,
        lambda x: None,
        r"the jac of constraints\[0\] must return a matrix of real numbers; got NoneType None. Is",
    ),
    (fun, lambda x: "a", r"the jac of constraints\[0\] must return a matrix of real numbers; got str"),
)


@pytest.mark.parametrize(("fun", "jac", "said"), REFUSED)
def test_what_is_returned(fun, jac, said):
    """Functions that return no numbers are refused by their names."""
    [one], _, _ = constraints_of({"type": "eq", "fun": fun, "jac": jac}, 2)
    with pytest.raises(InputError, match=said):
        (one.fun(X), one.jac(X))


def test_a_matrix_of_another_size():
    """A linear constraint on another number of coordinates is refused."""
    with pytest.raises(InputError, match=r"each of the 2 entries of x0; got shape \(1, 3\)"):
        constraints_of(LinearConstraint([1, 1, 1], 0, 3), 2)
