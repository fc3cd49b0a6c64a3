"""Coordinates that show far less noise than was measured along others are believed, and no other."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastgrad.differences.bounds import by_four_points
from fastgrad.differences.noise import QUIET, STANDS_OUT, quieter
from fastgrad.differences.stencils import FOUR_POINTS


def lines(m, sigma, slope=1e3, seed=0):
    """Values of m straight lines at -2h, -h, h, 2h, in noise."""
    return slope * FOUR_POINTS + sigma * np.random.default_rng(seed).normal(size=(m, 4))


def test_noise_as_measured_stays():
    """Of a million rows with the noise that was measured hardly one looks quiet by chance."""
    assert (quieter(np.ones(10**6), lines(10**6, 1.0), 0.0) < 1).sum() <= 4


@pytest.mark.parametrize("noise", [QUIET / 100, 1e-8, 1e-12])
def test_less_noise_is_seen(noise):
    """Rows with far less noise have a sigma far smaller, which is seldom under their own."""
    found = quieter(np.ones(10_000), lines(10_000, noise), 0.0)
    assert (found < 1).mean() > 0.99
    assert np.median(found) < 100 * noise
    assert (found < noise).mean() < 0.02


def test_bounds_from_it_hold():
    """Estimates with that noise in their bounds are off by more in one of a thousand at most."""
    noise, m = 1e-9, 100_000
    f = lines(m, noise)
    one = np.ones(m)
    sigma = quieter(one, f, 0.0)
    d = np.tile(FOUR_POINTS, (m, 1))
    numeric, bound = by_four_points(f, d, 0.0, one, sigma, 6.0)
    assert (np.abs(numeric - 1e3) > bound).mean() < 1e-3


def test_rounding_is_always_allowed():
    """The noise is never taken for less than rounding of the values leaves."""
    f = 1e6 + np.array([[-2.0, -1.0, 1.0, 2.0 + 2.0**-30]])
    assert quieter(np.full(1, 1e-3), f, 1e6)[0] >= 0.5 * np.spacing(1e6)


def test_values_on_a_grid_are_not_quiet():
    """Values that lie on a line to the last digit may be rounded to it, and show nothing."""
    assert quieter(np.full(1, 1e-3), 1.0 * FOUR_POINTS[None], 0.0)[0] == 1e-3


def test_what_hardly_moves_shows_nothing():
    """Where values change by less than sixteen sigma their noise may be hidden by rounding."""
    for change, quiet in ((0.9, False), (1.1, True)):
        f = (1 + 1e-12 * np.array([0, 1, -1, 0])) * FOUR_POINTS * change * STANDS_OUT / 4
        assert (quieter(np.ones(1), f[None], 0.0)[0] < 1) == quiet


@pytest.mark.parametrize("shape", [lambda d: d**4, lambda d: d**3, np.abs])
def test_a_cost_that_bends_is_not_quiet(shape):
    """Curvature and kinks leave third or fourth differences, and sigma stays as it was measured."""
    f = 1e3 * FOUR_POINTS + 100 * shape(FOUR_POINTS)
    assert quieter(np.ones(1), f[None], 0.0)[0] == 1.0


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("at", range(4))
def test_no_value(bad, at):
    """Where a value is not finite sigma stays."""
    f = lines(1, 1e-9)
    f[0, at] = bad
    assert quieter(np.ones(1), f, 0.0)[0] == 1


@given(st.integers(0, 10**6), st.integers(-200, 200), st.floats(-12, 2))
def test_units_and_never_more(seed, exponent, decade):
    """Sigma never grows, and a cost in another unit has that in its own unit."""
    f, sigma, c = lines(5, 10.0**decade, seed=seed), np.ones(5), 2.0**exponent
    found = quieter(sigma, f, 0.5)
    assert (found <= sigma).all()
    np.testing.assert_array_equal(quieter(c * sigma, c * f, c * 0.5), c * found)
