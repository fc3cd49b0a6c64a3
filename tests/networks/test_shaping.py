"""Flatten: the same numbers as one vector for each sample."""

from __future__ import annotations

import numpy as np
import pytest
from layer_gradients import require_gradients

from fastgrad.networks.shaping import Flatten


class TestFlatten:
    @pytest.mark.parametrize("shape", [(2, 3, 2, 2), (2, 5), (1, 1, 4)])
    def test_there_and_back(self, shape):
        """Numbers keep their C order, and the gradient gets the input's shape again."""
        x = np.arange(float(np.prod(shape))).reshape(shape)
        y = Flatten().forward({}, x)

        assert np.array_equal(y.reshape(-1), x.reshape(-1))
        assert np.array_equal(Flatten().backward({}, x, y)[0], x)
        require_gradients(Flatten(), x)
