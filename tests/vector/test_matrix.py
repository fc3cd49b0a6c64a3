"""Claimed Jacobians of every kind."""

import numpy as np
import pytest
from scipy import sparse
from scipy.sparse.linalg import LinearOperator, aslinearoperator

import fastgrad
from fastgrad.problem.parameters import Parameters
from fastgrad.vector.matrix import matrix
from fastgrad.vector.outputs import Outputs

J = np.array([[1.0, 0.0, 2.0], [0.0, 3.0, 0.0]])
X, Y = Parameters(np.ones(3)), Outputs.of(np.ones(2))


@pytest.mark.parametrize(
    "kind", [np.array, sparse.csr_array, sparse.csc_matrix, sparse.coo_array, aslinearoperator]
)
def test_products(kind):
    """Every kind has the same products."""
    found = matrix(kind(J), X, Y)
    assert found.transposed(np.array([1.0, 10.0])).tolist() == [1, 30, 2]
    assert found.times(np.array([1.0, 10.0, 100.0])).tolist() == [201, 30]


def test_pattern():
    """Only a sparse matrix says where it may be other than zero, stored zeros included."""
    stored = sparse.csr_array((np.array([1.0, 0.0, 5.0]), ([0, 0, 1], [0, 1, 2])), shape=(2, 3))
    pattern = matrix(stored, X, Y).pattern
    assert pattern.indices.tolist() == [0, 0, 1]
    assert pattern.indptr.tolist() == [0, 1, 2, 3]
    assert matrix(J, X, Y).pattern is None


def test_by_shape():
    """An array may have the outputs' axes, then the parameters'."""
    parameters, outputs = Parameters(np.ones((3, 1))), Outputs.of(np.ones((1, 2)))
    assert matrix(J.reshape(1, 2, 3, 1), parameters, outputs).times(np.ones(3)).tolist() == [3, 3]


def test_nested():
    """Of several blocks it may be arrays by output, then by parameter."""
    parameters, outputs = Parameters({"a": 1.0, "b": np.ones(2)}), Outputs.of([np.ones(1), 2.0])
    nested = [{"a": np.array([1.0]), "b": np.array([[0.0, 2.0]])}, {"a": 0.0, "b": np.array([3.0, 0.0])}]
    assert matrix(nested, parameters, outputs).times(np.array([1.0, 10.0, 100.0])).tolist() == [201, 30]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (J.T, r"must have shape \(2, 3\); got \(3, 2\): this is the shape of its transpose"),
        (sparse.csr_array(J.T), "transpose"),
        (aslinearoperator(J.T), "transpose"),
        (np.ones(3), r"must have shape \(2, 3\); got \(3,\)"),
        (J * 1j, "real numbers"),
    ],
)
def test_refused(value, words):
    """Another shape or dtype is refused, and the shape of the transpose is named."""
    with pytest.raises(fastgrad.InputError, match=words):
        matrix(value, X, Y)


def test_nested_refused():
    """A missing block of a nested Jacobian is refused, one of another shape by name."""
    parameters, outputs = Parameters({"a": 1.0, "b": np.ones(2)}), Outputs.of(np.ones(2))
    with pytest.raises(fastgrad.InputError, match="an array for each of 1 outputs and 2 parameters"):
        matrix({"a": np.ones(2)}, parameters, outputs)
    with pytest.raises(fastgrad.InputError, match=r"d output / d b must have shape \(2, 2\)"):
        matrix({"a": np.ones(2), "b": np.ones(3)}, parameters, outputs)


def test_without_rmatvec():
    """A LinearOperator without rmatvec is refused with what to do."""
    operator = LinearOperator((2, 3), matvec=lambda v: J @ v)
    with pytest.raises(fastgrad.InputError, match=r"LinearOperator without rmatvec.*check_jvp"):
        matrix(operator, X, Y).transposed(np.ones(2))
