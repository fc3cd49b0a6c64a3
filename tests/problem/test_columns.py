"""The structure of w . F whose columns share no output."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from fastgrad.problem.columns import Columns, group_numbers


def test_count():
    """There are as many groups as sizes."""
    columns = Columns(np.tanh, None, np.array([0, 1, 0]), np.array([2, 1]), 1.0)
    assert columns.count == 2


@given(st.integers(0, 2**31), st.integers(1, 12), st.integers(1, 12), st.floats(0, 1))
def test_no_row_twice(seed, m, n, density):
    """No two columns of a group have a row in common, and every column has a group."""
    rng = np.random.default_rng(seed)
    pattern = rng.random((m, n)) < density
    numbers = group_numbers(sparse.csc_array(pattern))
    assert len(numbers) == n
    for group in range(numbers.max() + 1):
        assert (pattern[:, numbers == group].sum(axis=1) <= 1).all()
