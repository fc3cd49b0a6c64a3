"""Claims give the same Jacobian, however it is claimed."""

import numpy as np
import pytest
from scipy import sparse
from vector_cases import CASES

from fastgrad.vector.claims import Product, TransposedProduct, WholeMatrix


def claims(case):
    """One of each kind."""
    vector = case.problem()
    return [
        WholeMatrix(case.jacobian, vector),
        WholeMatrix(case.jacobian(case.x), vector),
        WholeMatrix(sparse.csr_array(case.jacobian(case.x)), vector),
        TransposedProduct(case.vjp, vector),
        Product(case.jvp, vector),
    ]


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
class TestAll:
    """Of each case."""

    def test_among(self, case):
        """The sum over some rows of a column."""
        J = np.asarray(sparse.csr_array(case.jacobian(case.x)).todense())
        u, rows = np.linspace(1, 2, len(J)), np.array([3, 5, 6])
        for claim in claims(case):
            assert claim.among(4, rows, u) == pytest.approx(u[rows] @ J[rows, 4], abs=1e-15)

    def test_on(self, case):
        """The entries on a pattern, also where it is larger than their own."""
        J = np.asarray(sparse.csr_array(case.jacobian(case.x)).todense())
        for pattern in (sparse.csc_array(J != 0), sparse.csc_array(np.ones(J.shape))):
            expected = J.T[sparse.csr_array(pattern.T).nonzero()]
            for claim in claims(case):
                np.testing.assert_allclose(claim.on(pattern, 10_000), expected, atol=1e-15)


def test_too_many_products():
    """A product is not asked for a dense Jacobian beyond what was allowed."""
    case = CASES["dense"]
    assert TransposedProduct(case.vjp, case.problem()).on(sparse.csc_array(np.ones((40, 50))), 39) is None
