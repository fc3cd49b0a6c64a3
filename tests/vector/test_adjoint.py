"""Identities that need no difference."""

import numpy as np
import pytest

import fastgrad
from fastgrad.vector.adjoint import adjoint_identity

RNG = np.random.default_rng(4)
J = RNG.normal(size=(30, 40))


def identity(other):
    """Of J and another transpose."""
    return adjoint_identity(
        lambda v: J @ v, lambda u: other @ u, RNG.normal(size=30), np.ones(40), 2.0**-52, 0
    )


def test_holds():
    """It holds for a matrix and its transpose."""
    assert identity(J.T).holds


@pytest.mark.parametrize("error", [1e-6, 1.0])
def test_broken(error):
    """One entry that is off by little breaks it."""
    other = J.T.copy()
    other[3, 4] += error
    assert not identity(other).holds


def test_hessian_that_is_not_symmetric():
    """A Hessian that is not symmetric is told so, beside the verdict."""
    gradient = np.exp
    report = fastgrad.check_hessian(gradient, lambda x: np.diag(np.exp(x)) + np.eye(3, k=1), np.ones(3))
    assert report.verdict == "disagree"
    assert "the Hessian is not symmetric" in report.diagnosis[0]
