"""Costs with many kinks closer than their noise lets one see: what is ruled upon holds the true slope.

Each coordinate has a piecewise linear cost, as the weights of relu networks in float32 have. Statistics over
thousands of them, with fixed seeds.
"""

from __future__ import annotations

import functools

import numpy as np
import pytest

from fastgrad.differences.bounds import by_six_points
from fastgrad.differences.ladder import SURE, adjudicate, confirm
from fastgrad.differences.rulings import NoiseModel
from fastgrad.differences.stencils import SIX_POINTS

SIGMA = 6e-8
"""The noise of a value, as of a cost near 1 in float32."""

Z, COORDINATES = 5.7, 500

FAMILIES = [
    (count, within, signed, rounded)
    for count in (3, 10, 30, 100)
    for within in (1e-2, 1e-3, 1e-4)
    for signed in (False, True)
    for rounded in (False, True)
]
"""How many kinks there are, within what distance, whether some bend down, and whether noise is rounding."""

CLOSE = [(count, 1e-6, signed, True) for count in (3, 10, 30, 100) for signed in (False, True)]
"""Kinks so close that they count as being at the parameters."""


def piecewise_linear(count, within, signed, rounded, seed=0):
    """Values of COORDINATES costs, counted from those at the parameters, and their true slopes there."""
    rng = np.random.default_rng([seed, count, int(1 / within), signed, rounded])
    places = rng.uniform(-within, within, (COORDINATES, count))
    jumps = rng.normal(size=places.shape) if signed else rng.uniform(0, 1, places.shape)
    jumps /= np.sqrt(count)
    slopes = rng.normal(size=COORDINATES)

    def sample(indices, offsets):
        c, j = places[indices][..., None], jumps[indices][..., None]
        bent = (j * (np.maximum(offsets[:, None] - c, 0) - np.maximum(-c, 0))).sum(axis=1)
        f = slopes[indices][:, None] * offsets + bent
        if rounded:
            return (1 + f).astype(np.float32).astype(float) - 1
        return f + SIGMA * rng.normal(size=f.shape)

    return sample, slopes + (jumps * (places < 0)).sum(axis=1)


@functools.cache
def ruled(family):
    """Rulings of one ladder and of two, and the true slopes."""
    sample, truth = piecewise_linear(*family)
    one, everyone = np.ones(COORDINATES), np.arange(COORDINATES)
    given = {"scale": one, "noise": NoiseModel(SIGMA * one, 0 * one), "z": Z}
    first = adjudicate(sample, 0.5 * one, everyone, 0.0, **given)
    return first, confirm(sample, 0.5 * one, everyone, 0.0, first, **given), truth


def off(found, truth):
    """How far each true slope is from the estimate, in units of the bound; at kinks from the middle."""
    middle = np.where(found.kink, (found.lower + found.upper) / 2, found.numeric)
    room = np.where(found.kink, (found.upper - found.lower) / 2, found.error_bound)
    return np.where(np.isfinite(middle), np.abs(middle - truth) / room, 0.0)


def all_of(number, kinked, families=FAMILIES):
    """`off` of some families, by one ladder or by two, of coordinates at kinks or of the others."""
    several = []
    for family in families:
        *rulings, truth = ruled(family)
        several.append(off(rulings[number], truth)[rulings[number].kink == kinked])
    return np.concatenate(several)


def test_one_ladder_is_seldom_off():
    """Of one ladder's estimates under 1% are off by more than the bound, and none by more than three."""
    found = all_of(0, kinked=False)
    assert len(found) > 20_000
    assert (found > 1).mean() < 0.01
    assert found.max() < SURE


def test_two_ladders_hold():
    """Of estimates that two ladders confirm none is off by more than the bound."""
    found = all_of(1, kinked=False)
    assert len(found) > 20_000
    assert found.max() <= 1


def test_the_slopes_on_the_two_sides_of_a_kink_hold():
    """What two ladders call a kink at the parameters has the true slope between those of its sides."""
    found = all_of(1, kinked=True, families=FAMILIES + CLOSE)
    assert len(found) > 100
    assert found.max() <= 1


def test_kinks_beside_the_parameters_are_not_called_kinks_there():
    """Kinks that noise does not let tell from the parameters are part of the bound, and of no ruling."""
    assert len(all_of(1, kinked=True)) < COORDINATES * len(FAMILIES) / 1000


def test_they_are_of_use():
    """The twin: kinks are felt, and what is known of slopes of 1 is not that they are between -9 and 9."""
    for family in FAMILIES:
        _, both, truth = ruled(family)
        assert np.isfinite(both.error_bound).mean() > 0.8
        assert np.median(both.error_bound[np.isfinite(both.error_bound)]) < 1.0
        assert not (both.error_bound == 0).any()
        assert np.abs(truth).max() > 1


@pytest.mark.parametrize(("count", "share"), [(1, 0.0), (3, 0.01), (10, 0.05)])
def test_six_values_are_seldom_off(count, share):
    """Of six values none is off by more than the bound for one kink within reach, and few for several."""
    missed, one = [], np.ones(COORDINATES)
    for step in (2.0**-4, 2.0**-7, 2.0**-10):
        d = np.tile(step * SIX_POINTS, (COORDINATES, 1))
        for seed in range(20):
            sample, truth = piecewise_linear(count, 4 * step, True, False, seed)
            f = sample(np.arange(COORDINATES), d)
            numeric, bound = by_six_points(f, d, 0.0, step * one, SIGMA * one, Z)
            missed.append(np.abs(numeric - truth) > bound)
    assert np.mean(missed) <= share
