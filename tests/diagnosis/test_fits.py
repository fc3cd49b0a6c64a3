"""Fits of one number or two, within what each entry is known to."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastgrad.diagnosis.fits import grouped_slopes, slope, two_slopes

R1 = np.array([1.0, -2.0, 0.5, 3.0, -1.5])
R2 = np.array([0.5, 1.0, -2.0, 0.25, 1.0])
TIGHT = np.full(5, 1e-9)


@given(*[st.floats(0.01, 50) | st.floats(-50, -0.01)] * 2)
def test_two_numbers_are_found(c1, c2):
    """A target made of two regressors gives their factors back."""
    found = two_slopes(R1, R2, c1 * R1 + c2 * R2, TIGHT)
    assert found is not None
    assert [number.low for number in found] == pytest.approx([c1, c2], abs=1e-6)


def test_one_entry_off_is_no_fit():
    """A target that one entry leaves by more than its tolerance has no factor."""
    target = 3 * R1
    assert slope(R1, target, TIGHT) is not None
    target[2] += 1e-6
    assert slope(R1, target, TIGHT) is None


def test_parallel_regressors_have_no_two_numbers():
    """Two regressors that are one up to a factor cannot be told apart."""
    assert two_slopes(R1, 2 * R1, 3 * R1, TIGHT) is None


def test_groups_have_numbers_of_their_own():
    """By group each factor is its own."""
    groups = np.array([0, 1, 0, 1, 0])
    found = grouped_slopes((R1,), R1 * np.array([2.0, 5.0])[groups], TIGHT, groups)
    assert found[0].tolist() == pytest.approx([2.0, 5.0])
