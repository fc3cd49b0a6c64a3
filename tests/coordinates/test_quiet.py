"""A coordinate has less noise than the cost only where values between its own say so too."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastgrad.coordinates.quiet import interpolated, own_noise
from fastgrad.differences.noise import quieter
from fastgrad.differences.stencils import FOUR_POINTS

SIGMA = 2e-8


def found_by(values_of, m=400):
    """Which of m coordinates are quieter by their four values, and which by values between them as well."""
    rng = np.random.default_rng(0)
    slopes, h = rng.uniform(0.5, 2, m), np.full(m, 1e-4)

    def evaluate(indices, d):
        return values_of(slopes[indices, None] * d)

    setting = SimpleNamespace(
        evaluate=evaluate, displacements=lambda indices, offsets: offsets, f0=values_of(0.0)
    )
    indices, d = np.arange(m), h[:, None] * FOUR_POINTS
    f, sigma = evaluate(indices, d), np.full(m, SIGMA)
    return quieter(sigma, f, setting.f0) < sigma, own_noise(setting, indices, h, f, d, sigma) < sigma


def test_rounded_values_on_a_line():
    """Values that are rounded alike lie on a line; those between them show that they are rounded."""
    four, between = found_by(lambda v: np.pi / 9 + 0.7 * 1e-7 * np.rint(np.exp(v) / 1e-7))
    assert four.sum() > 20
    assert not between.any()


def test_quiet_values():
    """Values in double precision stay quiet."""
    four, between = found_by(lambda v: np.pi / 9 + np.exp(v))
    assert four.sum() > 300
    assert (between == four).all()


def test_noisy_values():
    """Values that scatter by the noise of the cost are not looked at again."""
    rng = np.random.default_rng(1)
    four, between = found_by(lambda v: 1.0 + v + SIGMA * rng.standard_normal(np.shape(v)))
    assert not four.any()
    assert not between.any()


@given(st.lists(st.floats(-3, 3), min_size=5, max_size=5), st.floats(-2, 2))
def test_interpolated(coefficients, at):
    """A polynomial of the fourth degree is met exactly, but for rounding."""
    p = np.polynomial.Polynomial(coefficients)
    d = np.array([[-2.0, -1.1, 0.9, 2.0]])
    assert interpolated(p(d), d, p(0.0), np.array([[at]]))[0, 0] == pytest.approx(p(at), abs=1e-10)
