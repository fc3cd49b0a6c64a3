"""Dense: z = x W + b, for features and for sequences of them."""

from __future__ import annotations

import numpy as np
import pytest
from layer_gradients import require_gradients

from fastgrad.errors import InputError
from fastgrad.networks.dense import Dense


class TestDense:
    @pytest.mark.parametrize("shape", [(4, 3), (4, 2, 3), (0, 3)])
    def test_gradients(self, shape):
        """Back-propagation is the derivative of the forward pass, whatever stands before the features."""
        require_gradients(Dense(3, 2), np.random.default_rng(0).normal(size=shape))

    def test_forward(self):
        """z = x W + b, number by number."""
        p = {"weight": np.array([[1.0, 2.0], [3.0, 4.0]]), "bias": np.array([0.5, -0.5])}

        assert Dense(2, 2).forward(p, np.array([[1.0, 10.0]])).tolist() == [[31.5, 41.5]]

    def test_initial(self):
        """The weights start with variance 1 / inputs, the biases at zero."""
        p = Dense(400, 300).initial(np.random.default_rng(0))

        assert p["weight"].std() == pytest.approx(1 / 20, rel=0.02)
        assert not p["bias"].any()

    def test_other_features(self):
        """An input of another number of features is refused."""
        with pytest.raises(InputError, match=r"takes 3 features; its input has shape \(4,\)"):
            Dense(3, 2).output_shape((4,))
