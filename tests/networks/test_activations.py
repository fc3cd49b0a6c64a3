"""Activations: values, slopes and their behaviour far from zero."""

from __future__ import annotations

import numpy as np
import pytest
from layer_gradients import require_gradients, slopes_of
from network_cases import ACTIVATIONS

from fastgrad.networks.activations import Activation, sigmoid, softplus

Z = np.array([[-3.0, -0.7, 0.4, 1.0, 5.0]])


@pytest.mark.parametrize("activation", ACTIVATIONS, ids=str)
class TestEach:
    def test_slope(self, activation):
        """The slope is the derivative of the value, by differences, and back-propagation multiplies by it."""
        slope = activation.slope(Z, activation.value(Z))
        by_differences = slopes_of(lambda z: float(activation.value(z).sum()), Z)

        np.testing.assert_allclose(slope, by_differences, rtol=1e-7, atol=1e-8)
        require_gradients(activation, Z)

    def test_far_from_zero(self, activation):
        """Far from zero values and slopes are finite, without a warning, and a NaN stays one."""
        far = np.array([[-1e3, 1e3, np.nan]])
        a = activation.value(far)

        assert np.isfinite(a[0, :2]).all()
        assert np.isfinite(activation.slope(far, a)[0, :2]).all()
        assert np.isnan(a[0, 2])

    def test_dtype(self, activation):
        """float32 stays float32, value and slope."""
        z = Z.astype(np.float32)

        assert activation.value(z).dtype == activation.slope(z, activation.value(z)).dtype == np.float32


class TestFormulas:
    def test_sigmoid_and_softplus(self):
        """Both are their formulas where these do not overflow, and softplus has the sigmoid as its slope."""
        np.testing.assert_allclose(sigmoid(Z), 1 / (1 + np.exp(-Z)), rtol=1e-15)
        np.testing.assert_allclose(softplus(Z), np.log(1 + np.exp(Z)), rtol=1e-14)
        np.testing.assert_allclose(slopes_of(lambda z: float(softplus(z).sum()), Z), sigmoid(Z), rtol=1e-8)

    def test_no_activation(self):
        """What has no value of its own is no activation."""
        with pytest.raises(TypeError, match="Activation is no activation"):
            Activation().forward({}, Z)
