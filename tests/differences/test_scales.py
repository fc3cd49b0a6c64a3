"""The scale of each coordinate: steps follow from a parameter's own size, its slope, and the noise."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastgrad.differences.scales import (
    CELL,
    COARSEST_WANTED,
    FINEST_WANTED,
    ORDINARY,
    SHARE,
    STANDS_OUT,
    VISIBLE,
    WIDEST,
    magnitude,
    needed,
    own_scale,
    size_of_zeros,
    typical_effect,
)

Z = 5.7
NOISE = 1e-16

ordinary = st.floats(1e-9, 1e9)
anything = st.one_of(
    ordinary, ordinary.map(lambda v: -v), st.sampled_from([0.0, 1e-300, 1e300, np.nan, np.inf])
)
powers = st.integers(-100, 100).map(lambda k: 2.0**k)


def one_scale(x, g, least=1.0, sigma=NOISE, effect=1.0, z=Z):
    """The scale of one coordinate."""
    one = np.ones(1)
    return own_scale(x * one, g * one, least * one, sigma, effect, z)


def numbers(scale):
    """Size, slope and step of one coordinate."""
    return float(scale.size[0]), float(scale.slope[0]), float(scale.step[0])


class TestUnits:
    @given(ordinary, st.floats(1e-6, 1e6), powers)
    def test_of_the_parameter(self, x, effect, unit):
        """A parameter times c and its derivative over c have size and step times c, to the bit."""
        size, slope, step = numbers(one_scale(x, effect / x))
        assert numbers(one_scale(unit * x, effect / x / unit)) == (unit * size, slope / unit, unit * step)

    @given(st.sampled_from([1e-12, 1e-6, 1e-3, 1.0]), ordinary, powers)
    def test_of_a_parameter_lost_in_noise(self, x, noise, unit):
        """Only what is lost in noise has a size of what noise lets through, up to the unit that it is in."""
        size, _, _ = numbers(one_scale(unit * x, 1 / unit, least=unit, sigma=noise, effect=1e9))
        through = VISIBLE * noise * unit
        assert size == max(unit * x, min(max(unit, ORDINARY), through, 1e9 * unit))

    @given(ordinary, st.one_of(ordinary, st.just(0.0), st.just(np.nan)), powers)
    def test_of_the_cost(self, x, g, unit):
        """A cost in another unit has the same sizes and steps."""
        size, slope, step = numbers(one_scale(x, g))
        found = one_scale(x, unit * g, sigma=unit * NOISE, effect=unit)
        assert numbers(found) == (size, unit * slope, step)

    @given(st.lists(st.tuples(anything, anything), min_size=1, max_size=8), st.integers(0, 8))
    def test_each_for_itself(self, pairs, cut):
        """The scale of a coordinate does not depend on which others are asked for with it."""
        x, g = (np.array(column) for column in zip(*pairs, strict=True))
        one = np.ones(len(x))
        with np.errstate(all="ignore"):
            whole = own_scale(np.nan_to_num(x), g, one, NOISE, 1.0, Z).step
            parts = [
                own_scale(np.nan_to_num(x[some]), g[some], one[some], NOISE, 1.0, Z).step
                for some in (slice(0, cut), slice(cut, None))
            ]
        np.testing.assert_array_equal(np.concatenate(parts), whole)


class TestStep:
    @given(anything.filter(np.isfinite), anything, st.sampled_from([5e-324, 1e-300, NOISE, 1.0, 1e300]))
    def test_is_a_power_of_two(self, x, g, sigma):
        """Whatever is claimed of whatever parameter, the step is a positive finite power of two."""
        step = float(one_scale(x, g, sigma=sigma).step[0])
        assert 0 < step < np.inf
        assert np.frexp(step)[0] == 0.5

    @given(ordinary, ordinary, st.floats(1e-20, 1e3))
    def test_is_at_most_a_quarter_of_the_size(self, x, g, sigma):
        """No step is wider than a quarter of the size, and one that noise does not ask for than 2^-7."""
        size, slope, step = numbers(one_scale(x, g, sigma=sigma, effect=0.0))
        assert step <= WIDEST * size
        if slope * size > VISIBLE * sigma:
            assert step <= SHARE * size

    @given(ordinary, ordinary, st.floats(1e-30, 1e3))
    def test_shows_what_is_visible(self, x, g, sigma):
        """Where an effect is visible, noise at the step leaves less than 2^-11 of the derivative."""
        size, slope, step = numbers(one_scale(x, g, sigma=sigma, effect=x * g))
        if slope * size >= VISIBLE * sigma:
            assert Z * 0.707 * sigma / step <= COARSEST_WANTED / 2 * slope

    @given(ordinary, ordinary)
    def test_is_no_wider_than_the_finest_resolution_needs(self, x, g):
        """The step is not wider than what leaves a relative error of 2^-32 by noise."""
        sigma = 1e-25 * x * g
        step = float(one_scale(x, g, sigma=sigma, effect=x * g).step[0])
        assert step <= needed(np.array([sigma / (g * x)]), FINEST_WANTED, Z)[0] * x

    @given(ordinary)
    def test_of_a_claimed_zero(self, x):
        """Where zero is claimed the step is 2^-7 of the size, which shows the smallest slope."""
        assert float(one_scale(x, 0.0).step[0]) == SHARE * 2.0 ** np.floor(np.log2(x))

    @pytest.mark.parametrize("x", [1e-12, 1.0, 1e12])
    def test_of_a_smooth_cost_balances(self, x):
        """It is the cube root of three times the noise in units of the effect, or the power of two below."""
        step = float(one_scale(x, 1 / x, sigma=1e-12).step[0]) / x
        assert np.cbrt(3e-12) / 2 < step <= np.cbrt(3e-12)

    @given(ordinary, ordinary, st.floats(1e-16, 1e-6))
    def test_more_noise_no_smaller_step(self, x, g, sigma):
        """The step does not shrink when noise grows."""
        steps = [float(one_scale(x, g, sigma=s, effect=x * g).step[0]) for s in (sigma, 10 * sigma)]
        assert steps[0] <= steps[1]


class TestSize:
    @given(ordinary, ordinary)
    def test_is_the_parameters_own(self, x, g):
        """The size of a parameter whose effect stands out of the noise is the parameter."""
        scale = one_scale(-x, g, sigma=1e-12 * x * g, effect=x * g)
        assert (float(scale.own[0]), float(scale.size[0])) == (x, x)

    def test_of_a_zero(self):
        """Zero has the size at which its effect is the typical one, that of the smallest others at most."""
        assert float(one_scale(0.0, 100.0, least=0.5).size[0]) == 0.01
        assert float(one_scale(0.0, 1e-3, least=0.5).size[0]) == 0.5
        assert float(one_scale(0.0, 100.0, least=0.5).own[0]) == 0.01

    @pytest.mark.parametrize("g", [0.0, np.nan, np.inf])
    def test_unknown_slopes(self, g):
        """Where no slope is claimed, the typical effect says what to expect."""
        assert numbers(one_scale(4.0, g, effect=8.0))[:2] == (4.0, 2.0)

    def test_of_a_decayed_weight(self):
        """A weight of 1e-40 is moved far enough for noise to let its slope through, and no farther."""
        size = float(one_scale(1e-40, 1.0).size[0])
        assert size == pytest.approx(VISIBLE * NOISE)
        assert float(one_scale(1e-40, 1e-9).size[0]) == pytest.approx(VISIBLE * NOISE * 1e9)
        assert float(one_scale(1e-40, 1e-20, least=1e-3).size[0]) == 1.0

    def test_own_size_stays(self):
        """The effect of a parameter is its derivative times its own size, however far it is moved."""
        assert float(one_scale(1e-40, 1.0).own[0]) == 1e-40


class TestCell:
    def test_alike_in_size_and_slope(self):
        """Coordinates of one size and slope share a cell; other sizes and other slopes have others."""
        x, g = np.array([1.0, 1.1, 1.0, 1e6, 1.1]), np.array([1.0, 1.1, 1e-6, 1.0, -1.0])
        cell = own_scale(x, g, np.ones(5), NOISE, 1.0, Z).cell
        assert cell[0] == cell[1] == cell[4]
        assert len(set(cell.tolist())) == 3

    @given(ordinary, st.floats(1, 2.0**CELL))
    def test_magnitude(self, value, factor):
        """Values within a factor of 128 are in one cell, or in neighbouring ones, whatever their sign."""
        one, other = magnitude(np.array([value, -value * factor]))
        assert abs(one - other) in (0, 1)

    def test_zero_is_like_no_other(self):
        """Zero has a cell of its own."""
        assert magnitude(np.array([0.0]))[0] < magnitude(np.array([5e-324]))[0]


class TestTypicalEffect:
    @given(st.lists(ordinary, min_size=1, max_size=20), powers)
    def test_units(self, effects, unit):
        """It is the same in any unit of a parameter, to the bit."""
        effects = np.array(effects)
        x = np.ones(len(effects)) * unit
        assert typical_effect(x, effects / unit, 0.0) == np.median(effects)

    def test_what_does_not_stand_out_is_left_aside(self):
        """Zeros, what is not finite, and effects that noise covers are not counted."""
        g = np.array([0.0, np.nan, np.inf, 0.9 * STANDS_OUT, 2 * STANDS_OUT, -4 * STANDS_OUT])
        assert typical_effect(np.ones(6), g, 1.0) == 3 * STANDS_OUT
        assert typical_effect(np.ones(4), g[:4], 1.0) == 0.0


class TestSizeOfZeros:
    @given(st.lists(st.one_of(ordinary, st.just(0.0)), min_size=1, max_size=40))
    def test_is_among_the_smallest(self, values):
        """It is one of the sizes that are not zero, and at most a tenth of them are smaller."""
        x = np.array(values)
        some = np.abs(x[x != 0])
        size = size_of_zeros(x)
        assert size in some if len(some) else size == 1.0
        assert (some < size).sum() <= len(some) / 10

    def test_single_precision(self):
        """It is a float of any dtype's parameters."""
        assert size_of_zeros(np.array([0.0, 0.5, -0.25], dtype=np.float32)) == 0.25
