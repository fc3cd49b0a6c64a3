"""Rounding inside a cost is told from a smooth cost, from a sleeping relu and from a kink."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastgrad.differences.rounding import smallest_visible_change

STEPS = 2.0 ** -np.arange(2, 28)


def seen(f):
    """The quantum of a cost that is zero at zero."""
    return float(smallest_visible_change(f(STEPS)[None], f(-STEPS)[None])[0])


class TestQuantum:
    @given(slope=st.floats(0.5, 2), exponent=st.integers(-20, -10))
    def test_of_a_rounded_line(self, slope, exponent):
        """Where changes go through in multiples of q, it is q or two of it that is seen."""
        q = 2.0**exponent
        assert q <= seen(lambda x: np.round(slope * x / q) * q) <= 2 * q

    @pytest.mark.parametrize(
        "f",
        [
            np.sin,
            lambda x: np.maximum(x - 1e-4, 0),
            lambda x: np.maximum(np.abs(x) - 1e-4, 0),
            np.abs,
            lambda x: 0 * x,
            lambda x: np.where(x > 1e-3, np.nan, 0 * x),
        ],
        ids=["smooth", "sleeping relu", "dead zone", "kink", "constant", "end of the domain"],
    )
    def test_there_is_none(self, f):
        """Whatever else stands still, or does not, is no rounding."""
        assert seen(f) == 0.0

    @pytest.mark.parametrize("count", [0, 1, 2])
    def test_too_few_steps(self, count):
        """From fewer than three steps nothing is concluded."""
        assert smallest_visible_change(np.ones((2, count)), -np.ones((2, count))).tolist() == [0.0, 0.0]
