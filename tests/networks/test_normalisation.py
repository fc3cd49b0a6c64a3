"""BatchNorm and LayerNorm: mean zero, deviation one, and gradients through both."""

from __future__ import annotations

import numpy as np
import pytest
from layer_gradients import require_gradients

from fastgrad.networks.normalisation import BatchNorm, LayerNorm, normalise

RNG = np.random.default_rng(0)
FLAT = RNG.normal(2.0, 3.0, size=(6, 4))
IMAGES = RNG.normal(-1.0, 2.0, size=(3, 4, 2, 3))
SEQUENCES = RNG.normal(size=(2, 3, 4))


class TestNormalise:
    def test_mean_and_deviation(self):
        """Over the axes the mean is 0 and the deviation 1, but for what epsilon takes."""
        y, deviation = normalise(FLAT, (0,), 1e-12)

        np.testing.assert_allclose(y.mean(axis=0), 0, atol=1e-14)
        np.testing.assert_allclose(y.std(axis=0), 1, rtol=1e-10)
        np.testing.assert_allclose(deviation[0], FLAT.std(axis=0), rtol=1e-10)

    def test_the_input_stays(self):
        """The input is left as it was."""
        before = FLAT.copy()
        normalise(FLAT, (0,), 1e-5)

        assert np.array_equal(FLAT, before)


class TestGradients:
    @pytest.mark.parametrize("x", [FLAT, IMAGES], ids=["features", "images"])
    def test_batch_norm(self, x):
        """The gradient passes through the batch's mean and variance too."""
        require_gradients(BatchNorm(4), x)

    @pytest.mark.parametrize("x", [FLAT, SEQUENCES], ids=["features", "sequences"])
    def test_layer_norm(self, x):
        """The gradient passes through each sample's mean and variance too."""
        require_gradients(LayerNorm(4), x)


class TestCoupling:
    def test_who_couples_samples(self):
        """Another sample changes what BatchNorm makes of the first, and not what LayerNorm makes of it."""
        p = {"scale": np.ones(4), "shift": np.zeros(4)}
        other = FLAT.copy()
        other[1:] += 1.0

        assert not np.allclose(BatchNorm(4).forward(p, FLAT)[0], BatchNorm(4).forward(p, other)[0])
        assert np.array_equal(LayerNorm(4).forward(p, FLAT)[0], LayerNorm(4).forward(p, other)[0])
