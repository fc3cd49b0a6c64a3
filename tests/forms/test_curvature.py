"""Hessians in each form that scipy takes, by the gradient or by the cost alone."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import rosen, rosen_der, rosen_hess, rosen_hess_prod
from scipy.sparse.linalg import LinearOperator

import fastgrad
from fastgrad.forms.bounds import Box
from fastgrad.forms.curvature import Curvature, Product, has_room, hessian_check
from fastgrad.forms.objective import Objective
from fastgrad.forms.several import Checks

X0 = np.array([1.3, 0.7, 0.8])


def operator(x):
    """The Hessian of rosen, without the products of its transpose."""
    return LinearOperator((3, 3), matvec=lambda v: rosen_hess_prod(x, v.reshape(-1)))


# hess, whether it is right elsewhere too
CASES = ((rosen_hess, True), (rosen_hess(X0), False), (operator, True), (operator(X0), False))


@pytest.mark.parametrize(("hess", "is_function"), CASES)
def test_hessian_check(hess, is_function):
    """A function or a value, a matrix or an operator: each is checked; a value is wrong at another point."""
    check = hessian_check(rosen_der, hess, X0, X0, rosen)
    assert check({}).passed
    there = X0 + 0.01
    assert hessian_check(rosen_der, hess, there, there, rosen)({}).passed == is_function


def test_by_the_cost_alone():
    """Without a jac a Hessian is checked from the cost, right and wrong."""
    assert hessian_check(None, rosen_hess, X0, X0, rosen)({}).passed
    assert hessian_check(None, lambda x: 1.01 * rosen_hess(x), X0, X0, rosen)({}).verdict == "disagree"


def test_on_a_bound():
    """On a bound that takes a jac: without one it is left out, and said."""
    box, checks = Box.of_minimize([(0, 1.3), (0, 9), (0, 9)], 3), Checks()
    assert has_room(checks, "hess at x0", rosen_der, box, X0)
    assert not has_room(checks, "hess at x0", None, box, X0)
    assert has_room(checks, "hess at point 1", None, box, 0.9 * X0)
    assert checks.notes[0].startswith("hess at x0 is not checked: without jac")
    reports = fastgrad.check_minimize(rosen, X0, hess=rosen_hess, bounds=[(0, 1.3), (0, 9), (0, 9)])
    assert (reports.verdict, list(reports.reports)) == ("agree", ["hess at point 1", "hess at point 2"])


def test_product():
    """An operator that is given is used as it is, a function is called at x."""
    v = np.ones(3)
    for hess in (operator, operator(X0)):
        assert np.allclose(Product(hess)(X0, v), rosen_hess(X0) @ v)


def test_both():
    """Where hess and hessp are given both are checked, though scipy would take one."""
    objective, checks = Objective.of(rosen, X0, (), rosen_der, None), Checks()
    Curvature.of(objective, rosen_hess, rosen_hess_prod, checks).add(checks, "x0", X0)
    assert list(checks.to_make) == ["hess at x0", "hessp at x0"]
