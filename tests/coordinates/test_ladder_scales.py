"""On which scales ladders begin: the block's, and where that tells nothing others."""

from __future__ import annotations

import numpy as np

from fastgrad.coordinates.ladder_scales import Climb
from fastgrad.differences.rulings import NoiseModel


def climb_of(slope, x, typical=1.0, noise=1e-16):
    """One coordinate at x of a cost that depends on it alone, in a block of a typical size."""
    at = float(slope(x))

    def evaluate(indices, offsets):
        return np.array([[slope(x + o) - at for o in row] for row in offsets])

    one = np.ones(1)
    return Climb(
        evaluate,
        x * one,
        np.zeros(1, int),
        0.0,
        typical,
        typical * one,
        NoiseModel(noise * one, 0 * one),
        5.0,
    )


def test_the_blocks_scale_does_for_an_ordinary_cost():
    """A smooth cost is measured on the scale of its block."""
    found, scale = climb_of(np.sin, 0.7).up()
    assert scale.tolist() == [1.0]
    assert abs(found.numeric[0] - np.cos(0.7)) <= found.error_bound[0]


def test_a_fast_wave_is_read_far_below():
    """A cost that waves a billion times within the block's scale is measured where it is smooth."""
    found, scale = climb_of(lambda x: np.sin(1e9 * x), 0.0).up()
    assert scale[0] < 1e-5
    assert abs(found.numeric[0] - 1e9) <= found.error_bound[0] < 1e8


def test_confirmation_meets_the_first_ladder():
    """A second ladder at unrelated steps agrees with the first one of a smooth cost."""
    climb = climb_of(np.exp, 0.3)
    confirmed = climb.confirmed(climb.up()[0])
    assert abs(confirmed.numeric[0] - np.exp(0.3)) <= confirmed.error_bound[0] < 1e-6


def test_a_tiny_parameter_is_known_as_far_as_its_own_steps_tell():
    """A parameter far smaller than its block's has a bound that holds what steps of its own size show."""
    climb = climb_of(lambda x: 1 / (1 + (1e12 * x) ** 2), 1e-12)
    confirmed = climb.confirmed(climb.up()[0])
    true = -1e12 / 2
    assert np.isnan(confirmed.numeric[0]) or abs(confirmed.numeric[0] - true) <= confirmed.error_bound[0]
