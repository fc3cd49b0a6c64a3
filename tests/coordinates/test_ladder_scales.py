"""On which scales ladders begin: the block's, and where that tells nothing others."""

from __future__ import annotations

import numpy as np

from fastgrad.coordinates.ladder_scales import Ladders
from fastgrad.differences.rulings import NoiseModel


def climb_of(slope, x, typical=1.0, noise=1e-16):
    """One coordinate at x of a cost that depends on it alone, in a block of a typical size."""
    at = float(slope(x))

    def evaluate(indices, offsets):
        return np.array([[slope(x + o) - at for o in row] for row in offsets])

    one = np.ones(1)
    return Ladders(
        evaluate,
        x * one,
        np.zeros(1, int),
        0.0,
        typical * one,
        typical * one,
        NoiseModel(noise * one, 0 * one),
        5.0,
    )


def test_the_blocks_scale_does_for_an_ordinary_cost():
    """A smooth cost is measured on the scale of its block."""
    found, scale = climb_of(np.sin, 0.7).measured()
    assert scale.tolist() == [1.0]
    assert abs(found.numeric[0] - np.cos(0.7)) <= found.error_bound[0]


def test_a_fast_wave_is_read_far_below():
    """A cost that waves a billion times within the block's scale is measured where it is smooth."""
    found, scale = climb_of(lambda x: np.sin(1e9 * x), 0.0).measured()
    assert scale[0] < 1e-5
    assert abs(found.numeric[0] - 1e9) <= found.error_bound[0] < 1e8


def test_confirmation_meets_the_first_ladder():
    """A second ladder at unrelated steps agrees with the first one of a smooth cost."""
    climb = climb_of(np.exp, 0.3)
    confirmed = climb.confirmed(climb.measured()[0])
    assert abs(confirmed.numeric[0] - np.exp(0.3)) <= confirmed.error_bound[0] < 1e-6


def test_a_tiny_parameter_is_measured_on_its_own_scale():
    """A parameter of 1e-12 whose cost has its shape there is measured by steps of its own size."""
    climb = climb_of(lambda x: 1 / (1 + (1e12 * x) ** 2), 1e-12, 1e-12)
    confirmed = climb.confirmed(climb.measured()[0])
    assert abs(confirmed.numeric[0] + 1e12 / 2) <= confirmed.error_bound[0] < 1e6


def test_smaller_scales_only_where_the_first_tells_nothing():
    """A ladder that is believed is not replaced by one on the parameter's own, smaller scale."""
    found, scale = climb_of(np.sin, 1e-6).measured()
    assert scale.tolist() == [1.0]
    assert abs(found.numeric[0] - np.cos(1e-6)) <= found.error_bound[0] < 1e-6


def test_a_cost_that_stands_still_far_below_proves_nothing():
    """A jump at the point is not taken for a slope of zero because smaller steps on one side show none."""
    found, _ = climb_of(lambda x: float(x >= 0.7), 0.7).measured()
    assert np.isnan(found.numeric[0])
