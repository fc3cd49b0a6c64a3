"""check_hvp and check_hessian."""

import numpy as np
import pytest

import fastgrad

X = np.array([0.5, -1.0, 2.0])


def gradient(x):
    """Of sum(x)**3 / 3 + sum(x**4) / 4."""
    return np.sum(x) ** 2 + x**3


def hvp(x, v):
    """H v."""
    return 2 * np.sum(x) * np.sum(v) * np.ones(3) + 3 * x**2 * v


def hessian(x):
    """H."""
    return 2 * np.sum(x) * np.ones((3, 3)) + np.diag(3 * x**2)


def test_right():
    """Right second derivatives agree."""
    assert fastgrad.check_hvp(gradient, hvp, X).verdict == "agree"
    assert fastgrad.check_hessian(gradient, hessian, X).verdict == "agree"


@pytest.mark.parametrize("factor", [0, 0.999, 2])
def test_wrong(factor):
    """A term that is off disagrees in both."""

    def product(x, v):
        return hvp(x, v) + (factor - 1) * 3 * x**2 * v

    def matrix(x):
        return hessian(x) + (factor - 1) * np.diag(3 * x**2)

    assert fastgrad.check_hvp(gradient, product, X).verdict == "disagree"
    assert fastgrad.check_hessian(gradient, matrix, X).verdict == "disagree"
