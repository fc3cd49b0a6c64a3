"""Changes of values."""

import numpy as np

from fastgrad.engines.traced.changes import Dense, Sparse, aligned, as_dense, is_worth_keeping_sparse


def test_as_dense():
    """Few entries, the whole value, and no change give the value at all points."""
    base = np.arange(6.0).reshape(2, 3)
    sparse = Sparse(np.array([[0], [5]]), np.array([[-1.0], [-2.0]]))
    found = as_dense(sparse, base, 2)
    assert found.tolist() == [[[-1, 1, 2], [3, 4, 5]], [[0, 1, 2], [3, 4, -2]]]
    assert as_dense(None, base, 2).tolist() == [base.tolist()] * 2
    assert as_dense(Dense(found), base, 2) is found
    assert (sparse.points, Dense(found).points) == (2, 2)


def test_dtype():
    """A change in another precision is not rounded to that of the value."""
    found = as_dense(Sparse(np.array([[0]]), np.array([[0.1]])), np.zeros(2, np.float32), 1)
    assert found[0, 0] == 0.1


def test_aligned():
    """Points stay in front where values of other shapes are broadcast together."""
    assert aligned(np.zeros((5, 3)), 2).shape == (5, 1, 3)
    assert aligned(np.zeros(5), 2).shape == (5, 1, 1)
    assert aligned(np.zeros((5, 2, 3)), 2).shape == (5, 2, 3)


def test_worth():
    """A list of entries is kept while it is short."""
    assert is_worth_keeping_sparse(2, 100)
    assert not is_worth_keeping_sparse(50, 100)
    assert is_worth_keeping_sparse(1, 1)
