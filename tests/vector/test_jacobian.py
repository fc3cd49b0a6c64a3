"""check_jacobian."""

import numpy as np
import pytest
from scipy import sparse
from scipy.sparse.linalg import LinearOperator

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


class TestOperator:
    """A LinearOperator."""

    def operator(self, by=1.0, back=1.0):
        """With products that may be off."""
        J = jacobian(X)
        return LinearOperator((4, 3), matvec=lambda v: by * (J @ v), rmatvec=lambda u: back * (J.T @ u))

    def test_right(self):
        """It agrees where both products are right, by its value or as a function."""
        assert fastgrad.check_jacobian(function, self.operator(), X).passed
        assert fastgrad.check_jacobian(function, lambda x: self.operator(), X).passed

    @pytest.mark.parametrize("off", [{"by": 1.01}, {"back": 1.01}, {"by": 1.01, "back": 1.01}])
    def test_wrong(self, off):
        """It disagrees where either is wrong, or both."""
        assert fastgrad.check_jacobian(function, self.operator(**off), X).verdict == "disagree"

    def test_two_matrices(self):
        """Products of two matrices are told to be, before any difference."""
        report = fastgrad.check_jacobian(function, self.operator(by=1.01), X)
        assert "do not belong to one matrix" in report.diagnosis[0]
