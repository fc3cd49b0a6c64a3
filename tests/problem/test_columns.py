"""The structure of w . F whose columns share no output."""

import numpy as np

from fastgrad.problem.columns import Columns


def test_count():
    """There are as many groups as sizes."""
    columns = Columns(np.tanh, None, np.array([0, 1, 0]), np.array([2, 1]), 1.0)
    assert columns.count == 2
