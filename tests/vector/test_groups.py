"""Groups of columns that share no row."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from fastgrad.vector.groups import Groups, group_numbers


@given(st.integers(0, 2**31), st.integers(1, 12), st.integers(1, 12), st.floats(0, 1))
def test_no_row_twice(seed, m, n, density):
    """No two columns of a group have a row in common, and every column has a group."""
    rng = np.random.default_rng(seed)
    pattern = rng.random((m, n)) < density
    numbers = group_numbers(sparse.csc_array(pattern))
    assert len(numbers) == n
    for group in range(numbers.max() + 1):
        assert (pattern[:, numbers == group].sum(axis=1) <= 1).all()


@pytest.mark.parametrize(("bands", "count"), [(1, 1), (3, 3), (5, 5)])
def test_bands(bands, count):
    """A band matrix has as many groups as bands."""
    offsets = range(-(bands // 2), bands // 2 + 1)
    pattern = sparse.diags_array([1.0] * bands, offsets=offsets, shape=(50, 50), format="csc")
    assert Groups.of(pattern).count == count


def test_not_worth_it():
    """A dense pattern has none."""
    assert Groups.of(sparse.csc_array(np.ones((3, 8)))) is None


def test_weighted():
    """Row i has the weights of the outputs that parameter i moves."""
    groups = Groups.of(sparse.csc_array(np.array([[1, 0, 0, 1], [0, 1, 0, 0], [0, 1, 1, 0]])))
    weights = groups.weighted(np.array([1.0, 10.0, 100.0]))
    assert weights.toarray().tolist() == [[1, 0, 0], [0, 10, 100], [0, 0, 100], [1, 0, 0]]
