"""Kinks, and the slopes on their two sides."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ladder_cases import ruled

from fastgrad.differences.kinks import FINEST, has_jump, has_kink_at_four_points, stands_still
from fastgrad.differences.reasons import Reason
from fastgrad.differences.stencils import FOUR_POINTS


class TestKinks:
    @given(st.floats(-3, 3), st.floats(-3, 3))
    @settings(max_examples=100)
    def test_at_the_point(self, left, right):
        """A kink exactly at the point is seen, and its slopes are those of the two sides."""
        found = ruled(lambda x: np.where(x < 0, left * x, right * x) + np.sin(x), 0.0, sigma=1e-16)
        if abs(left - right) < 1e-4:
            return
        assert found.kink[0]
        assert found.reason[0] == Reason.KINK
        assert found.lower[0] == pytest.approx(min(left, right) + 1, abs=1e-6)
        assert found.upper[0] == pytest.approx(max(left, right) + 1, abs=1e-6)

    @pytest.mark.parametrize("distance", [1e-1, 1e-3, 1e-5, 1e-7, -1e-7, -1e-5, -1e-3])
    def test_beside_the_point(self, distance):
        """A kink 1e-7 away or more is no kink here: smaller steps find the slope of this side."""
        found = ruled(lambda x: np.maximum(x - distance, 0) + np.sin(x), 0.0, sigma=1e-16)
        assert not found.kink[0]
        truth = 1.0 + (distance < 0)
        assert abs(found.numeric[0] - truth) <= found.error_bound[0] < 2e-7

    @pytest.mark.parametrize("distance", [1e-9, -1e-9, 1e-12, -1e-12])
    def test_closer_than_any_step(self, distance):
        """A kink closer than the finest step looks like one at the point: the interval holds both."""
        found = ruled(lambda x: np.maximum(x - distance, 0), 0.0, sigma=1e-18)
        truth = float(distance < 0)
        if not found.kink[0]:
            assert np.isnan(found.numeric[0]) or abs(found.numeric[0] - truth) <= found.error_bound[0]
        else:
            assert found.lower[0] <= truth <= found.upper[0]

    def test_curvature_is_no_kink(self):
        """A function with any amount of curvature, or a minimum at the point, has no kink."""
        for a in (1e-3, 1.0, 1e3, 1e6):
            assert not ruled(lambda x, a=a: a * x**2, 0.0, sigma=1e-18).kink[0]
            assert not ruled(lambda x, a=a: a * x**2 + x, 0.3, sigma=1e-16 * (1 + a)).kink[0]


STEPS = 2.0 ** -np.arange(26.0)


class TestFourPoints:
    h = 2.0**-10

    def kinked(self, f, sigma=0.0):
        """Whether four values of a cost that is 0 at 0 show a kink."""
        return bool(has_kink_at_four_points(f(self.h * FOUR_POINTS)[None], np.array([sigma]), 6.0)[0])

    @given(st.floats(-9, 9), st.floats(0.01, 9), st.floats(-0.4, 0.4))
    def test_shows_near_the_point(self, slope, jump, at):
        """A kink within four tenths of the step shows, whatever the slope is."""
        c = at * self.h
        assert self.kinked(lambda d: slope * d + jump * (np.maximum(d - c, 0) - np.maximum(-c, 0)))

    @given(st.floats(-9, 9), st.floats(0.1, 9), st.floats(-9, 9))
    def test_curvature_is_none(self, slope, bend, third):
        """A parabola, or a cubic, shows no kink, whatever its curvature is."""
        assert not self.kinked(lambda d: slope * d + bend * d**2 + third * d**3)

    def test_noise_is_none(self):
        """Of 20,000 straight lines in noise not one shows a kink."""
        f = np.random.default_rng(0).normal(size=(20_000, 4)) + FOUR_POINTS
        assert not has_kink_at_four_points(f, np.ones(len(f)), 6.0).any()

    def test_no_value_no_kink(self):
        """Where a value is not finite no kink is claimed."""
        assert not self.kinked(lambda d: np.where(d > 0, np.nan, np.abs(d)))


class TestStandsStill:
    """A jump at the parameters: the change to one side is the same at all of the finest steps."""

    @pytest.mark.parametrize("jump", [1.0, -3.0, 1e-18])
    @pytest.mark.parametrize("side", [0, 1])
    def test_a_jump(self, jump, side):
        """A jump at the point stands still to the last digit, however small it is beside the noise."""
        changes = [STEPS[None], -STEPS[None]]
        changes[side] = jump + 0 * changes[side]
        assert stands_still(*changes).tolist() == [True]

    def test_what_moves_is_none(self):
        """A slope, a kink, a flat cost, and a jump with a slope beside it do not stand still."""
        slope, flat = STEPS[None], 0 * STEPS[None]
        for after, before in ((slope, -slope), (slope, flat), (flat, flat), (1 + slope, 0.5 - slope)):
            assert stands_still(after, before).tolist() == [False]

    def test_a_jump_beside_the_point_is_none(self):
        """A jump that the finest of nine steps do not reach does not stand still."""
        for level in range(len(STEPS)):
            after = (STEPS[None] >= STEPS[level]) * 1.0
            assert stands_still(after, 0 * after)[0] == (level == len(STEPS) - 1)

    def test_only_the_finest_steps_count(self):
        """What happens at wider steps than the nine finest does not matter, and all of the nine do."""
        after = np.ones((1, len(STEPS)))
        after[0, :-FINEST] = np.arange(len(STEPS) - FINEST)
        assert stands_still(after, 0 * after).tolist() == [True]
        after[0, -FINEST] = 2.0
        assert stands_still(after, 0 * after).tolist() == [False]

    def test_makes_it_a_jump(self):
        """A jump of no more than twenty sigma at the point is ruled a jump, and no derivative is given."""
        found = ruled(lambda x: -1.0 * (x < 0), 0.0, sigma=0.05)
        assert (np.isnan(found.numeric[0]), found.reason[0]) == (True, Reason.JUMP)


def test_a_jump_stands_out_from_noise():
    """A change that no longer halves is a jump only where it is more than four times the noise."""
    after = np.where(STEPS > 1e-3, STEPS, 1e-3)[None]
    assert has_jump(after, np.full(after.shape, 1e-4)).tolist() == [True]
    assert has_jump(after, np.full(after.shape, 1e-3)).tolist() == [False]
    assert has_jump(STEPS[None], np.full(after.shape, 1e-12)).tolist() == [False]
