"""The dense end of a network, as its kernels see it."""

from __future__ import annotations

import numpy as np

from fastgrad.engines.network.dense_tail import _first_equal_row


def test_first_equal_row():
    """Rows equal to an earlier one are found, zeros and rows that only begin alike are not."""
    rows = np.array([[1.0, 2.0], [0.0, 0.0], [1.0, 3.0], [1.0, 2.0], [0.0, 0.0], [5.0, 1.0], [1.0, 3.0]])
    assert _first_equal_row(rows).tolist() == [0, 1, 2, 0, 4, 5, 2]
