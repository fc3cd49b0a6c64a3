"""Residual: a branch added to its input."""

from __future__ import annotations

import numpy as np
import pytest
from layer_gradients import require_gradients

from fastgrad.errors import InputError
from fastgrad.networks import Dense, Tanh
from fastgrad.networks.residual import Residual

X = np.random.default_rng(0).normal(size=(4, 3))


class TestResidual:
    def test_forward(self):
        """y = x + branch(x), and a branch of zeros changes nothing."""
        layer = Residual([Dense(3, 3)])
        p = {"0.weight": np.zeros((3, 3)), "0.bias": np.ones(3)}

        assert np.array_equal(layer.forward(p, X), X + 1)

    def test_gradients(self):
        """The gradient goes both ways, through the branch and past it."""
        require_gradients(Residual([Dense(3, 5), Tanh(), Dense(5, 3)]), X)

    def test_another_shape(self):
        """A branch that does not keep the shape is refused with both shapes."""
        with pytest.raises(InputError, match=r"makes \(2,\) of \(3,\): it must keep the shape"):
            Residual([Dense(3, 2)]).output_shape((3,))
