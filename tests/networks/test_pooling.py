"""Pooling: the maximum and the mean of each window."""

from __future__ import annotations

import numpy as np
import pytest
from layer_gradients import require_gradients
from network_cases import IMAGES

from fastgrad import AvgPool2D, MaxPool2D


class TestMaxPool:
    def test_a_tie_goes_to_the_first(self):
        """Of equal maxima the first gets the whole gradient."""
        dx, _ = MaxPool2D(2).backward({}, np.ones((1, 1, 2, 2)), np.full((1, 1, 1, 1), 3.0))
        assert dx.ravel().tolist() == [3, 0, 0, 0]


@pytest.mark.parametrize(("size", "stride"), [(2, None), (3, 2), (2, 3), (3, 1), (1, 2)])
def test_pooling_is_of_each_window(size, stride):
    """Windows that overlap, touch, or leave pixels out: the maximum and the mean of each."""
    step = size if stride is None else stride
    windows = np.lib.stride_tricks.sliding_window_view(IMAGES, (size, size), axis=(2, 3))[
        :, :, ::step, ::step
    ]
    largest, mean = MaxPool2D(size, stride).forward({}, IMAGES), AvgPool2D(size, stride).forward({}, IMAGES)
    assert np.array_equal(largest, windows.max(axis=(4, 5)))
    np.testing.assert_allclose(mean, windows.mean(axis=(4, 5)), rtol=1e-14, atol=1e-15)


def test_pooling_of_small_integers():
    """Pixels of one byte are averaged in floats."""
    pixels = np.full((1, 1, 2, 2), 200, dtype=np.uint8)
    assert AvgPool2D(2).forward({}, pixels).tolist() == [[[[200.0]]]]


@pytest.mark.parametrize("kind", [MaxPool2D, AvgPool2D])
@pytest.mark.parametrize(("size", "stride"), [(2, None), (3, 2), (2, 3)])
def test_gradients(kind, size, stride):
    """Back-propagation is the derivative of the forward pass: windows that overlap add up."""
    require_gradients(kind(size, stride), IMAGES[:1, :, :6, :7])
