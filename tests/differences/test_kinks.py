"""Kinks, and the slopes on their two sides."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ladder_cases import ruled

from fastgrad.differences.reasons import Reason


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
