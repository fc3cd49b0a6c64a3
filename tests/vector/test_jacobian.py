"""check_jacobian."""

import numpy as np
import pytest
from scipy import sparse

import fastgrad

RNG = np.random.default_rng(6)
A = RNG.normal(size=(4, 3))
X = RNG.normal(size=3)


def function(x):
    """F."""
    return np.tanh(A @ x)


def jacobian(x):
    """Its Jacobian."""
    return A * (1 - function(x) ** 2)[:, None]


@pytest.mark.parametrize("made", [jacobian, jacobian(X), lambda x: sparse.csr_array(jacobian(x))])
def test_right(made):
    """A right Jacobian agrees: a function of it, its value, a sparse one."""
    assert fastgrad.check_jacobian(function, made, X).verdict == "agree"


@pytest.mark.parametrize("k", range(4))
@pytest.mark.parametrize("i", range(3))
def test_each_entry(k, i):
    """One entry that is off by a thousandth is found in its column, whichever it is."""

    def wrong(x):
        found = jacobian(x)
        found[k, i] *= 1.001
        return found

    assert [f.flat_index for f in fastgrad.check_jacobian(function, wrong, X).wrong] == [i]


def test_number():
    """One output and one parameter may be numbers."""
    assert fastgrad.check_jacobian(lambda x: x**2, lambda x: 2 * x, 3.0).passed
