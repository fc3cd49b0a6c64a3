"""Dropout: a fixed mask."""

from __future__ import annotations

import numpy as np

from fastgrad import Dropout


class TestDropout:
    def test_mask_is_fixed(self):
        """The same seed gives the same mask: the cost is a function."""
        x = np.ones((4, 50))
        assert np.array_equal(Dropout(0.3, 2).forward({}, x), Dropout(0.3, 2).forward({}, x))
        assert not np.array_equal(Dropout(0.3, 2).forward({}, x), Dropout(0.3, 3).forward({}, x))
