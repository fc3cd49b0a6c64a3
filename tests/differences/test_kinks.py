"""Kinks and jumps are told from smooth costs by how second differences shrink, beside noise or not."""

from __future__ import annotations

import numpy as np
import pytest

from fastgrad.differences.kinks import has_jump, has_kink, has_kink_at_four_points, side_slopes
from fastgrad.differences.rulings import Decision

STEPS = 2.0 ** -np.arange(2, 14)
"""The steps of a ladder of twelve levels, from coarse to fine."""


def second_differences(f):
    """S(h) = f(h) - 2 f(0) + f(-h) at each step, in one row."""
    return (f(STEPS) - 2 * f(np.zeros(1)) + f(-STEPS))[None]


def at_four_points(f, h=0.01):
    """A cost at -2h, -h, h, 2h minus that at 0, in one row."""
    offsets = h * np.array([-2.0, -1.0, 1.0, 2.0])
    return (f(offsets) - f(np.zeros(1)))[None]


class TestFourPoints:
    @pytest.mark.parametrize(
        ("f", "kinked"),
        [
            (np.abs, True),
            (lambda x: np.maximum(x, 0) + np.sin(x), True),
            (np.sin, False),
            (lambda x: x**2, False),
            (np.exp, False),
            (lambda x: np.abs(x - 1), False),
        ],
    )
    def test_told_from_curvature(self, f, kinked):
        """A kink at the point is seen, and curvature or a kink out of reach is none."""
        assert has_kink_at_four_points(at_four_points(f), np.full(1, 1e-16), 6.4).tolist() == [kinked]

    def test_within_noise(self):
        """A kink that does not stand out from noise is not one; a value that is not finite says nothing."""
        g = at_four_points(np.abs)

        assert not has_kink_at_four_points(g, np.full(1, 0.01), 6.4).any()
        assert not has_kink_at_four_points(g * np.array([1, np.nan, 1, 1]), np.full(1, 1e-16), 6.4).any()


class TestLadder:
    @pytest.mark.parametrize(
        ("f", "kinked"),
        [
            (np.abs, True),
            (lambda x: np.maximum(x, 0) + x**2, True),
            (np.exp, False),
            (lambda x: 1e3 * x**2, False),
            (lambda x: np.abs(x - 0.05), False),
        ],
    )
    def test_has_kink(self, f, kinked):
        """S halves from level to level across a kink at the point, and quarters where the cost is smooth."""
        noise = np.full((1, len(STEPS)), 1e-12)

        with np.errstate(invalid="ignore"):  # as the ladder has it: 0 / 0 where S is 0
            found = has_kink(second_differences(f), STEPS[None], noise)

        assert found.tolist() == [kinked]

    @pytest.mark.parametrize(
        ("f", "jumps"), [(lambda x: 1.0 * (x > 0), True), (np.abs, False), (np.sin, False)]
    )
    def test_has_jump(self, f, jumps):
        """Across a jump the larger change stands still, where else it falls with the step."""
        change = np.maximum(np.abs(f(STEPS)), np.abs(f(-STEPS)))[None]

        assert has_jump(change, np.full(change.shape, 1e-12)).tolist() == [jumps]


class TestSideSlopes:
    def test_both_sides(self):
        """The interval reaches from the lesser slope less its bound to the greater one plus its bound."""
        right, left = np.full((1, 8), 2.0), np.full((1, 8), -1.0)
        sides = [
            Decision(np.array([d]), np.array([e]), np.zeros(1, dtype=np.intp))
            for d, e in ((2, 0.1), (-1, 0.2))
        ]

        low, high = side_slopes((right, left), sides, np.full((1, 8), 0.5))

        assert (low[0], high[0]) == pytest.approx((-1.2, 2.1))

    def test_a_slope_that_runs_away(self):
        """A slope that grows ever faster as the step shrinks has no end on that side."""
        growing = np.arange(8.0)[None]
        nothing = Decision(np.array([np.nan]), np.array([np.inf]), np.zeros(1, dtype=np.intp))

        low, high = side_slopes((growing, growing), [nothing, nothing], np.full((1, 8), 0.1))

        assert high[0] == np.inf
        assert low[0] == pytest.approx(1.9)
