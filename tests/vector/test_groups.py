"""Groups of columns that share no row."""

import numpy as np
import pytest
from scipy import sparse

from fastgrad.vector.groups import Groups


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
