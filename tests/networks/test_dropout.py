"""Dropout: a fixed mask."""

from __future__ import annotations

import numpy as np
import pytest

from fastgrad import Dropout


class TestDropout:
    def test_mask_is_fixed(self):
        """The same seed gives the same mask: the cost is a function."""
        x = np.ones((4, 50))
        assert np.array_equal(Dropout(0.3, 2).forward({}, x), Dropout(0.3, 2).forward({}, x))
        assert not np.array_equal(Dropout(0.3, 2).forward({}, x), Dropout(0.3, 3).forward({}, x))

    def test_mask(self):
        """The share that is dropped is zero, the others are scaled so that the mean stays, and so for dy."""
        layer, x = Dropout(0.25, 1), np.ones((100, 100))
        mask = layer.mask(x)

        assert set(mask.reshape(-1).tolist()) == {0.0, 1 / 0.75}
        assert mask.mean() == pytest.approx(1, rel=0.02)
        assert np.array_equal(layer.backward({}, x, 2 * x)[0], 2 * mask)
