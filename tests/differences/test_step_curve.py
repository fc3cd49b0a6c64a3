"""Steps of a curve, and its two branches."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastgrad.differences.step_curve import MOST_STEPS, curve_steps, noise_branch, truncation_branch

DOUBLE, SINGLE = 2.0**-52, 2.0**-23


@pytest.mark.parametrize("epsilon", [DOUBLE, SINGLE])
@given(
    x=st.floats(-1e6, 1e6).filter(lambda x: abs(x) > 1e-6),
    share=st.integers(-40, -1),
)
def test_steps(epsilon, x, share):
    """They increase by one factor from near rounding to near the size, and the taken one is among them."""
    taken = abs(x) * max(2.0**share, 16 * epsilon)
    steps = curve_steps(x, abs(x), epsilon, taken)
    assert taken in steps
    assert 15 <= len(steps) <= MOST_STEPS
    assert len(set((steps[1:] / steps[:-1]).round(9))) == 1
    assert steps[0] >= 8 * epsilon * abs(x)
    assert abs(x) / 8 <= steps[-1] <= abs(x)


def test_steps_where_none_was_taken():
    """Without a step of the check they are around eps^(1/3) of the size."""
    steps = curve_steps(0.0, 4.0, DOUBLE, np.nan)
    assert 4.0 * 2.0**-17 in steps
    assert steps[-1] <= 4.0


def test_a_step_beyond_the_size():
    """A step that is wider than the parameter is among them, and the last."""
    steps = curve_steps(1e-40, 1e-40, DOUBLE, 0.5)
    assert steps[-1] == 0.5
    assert len(steps) <= MOST_STEPS


@pytest.mark.parametrize("taken", [np.nan, 1e-3])
@pytest.mark.parametrize("x", [5e-324, 1e-310])
def test_the_smallest_parameters(x, taken):
    """Beside a parameter of which no share can be held the least step is the least float."""
    steps = curve_steps(x, x, DOUBLE, taken)
    assert 1 <= len(steps) <= MOST_STEPS
    assert steps[0] >= 2.0**-1022
    assert np.isnan(taken) or taken in steps


def test_noise():
    """It falls with the step, and what is in proportion to the offset does not."""
    steps = np.array([1.0, 4.0])
    np.testing.assert_allclose(noise_branch(steps, 2.0, 0.0), [2 * 0.707, 0.5 * 0.707])
    np.testing.assert_allclose(noise_branch(steps, 0.0, 3.0), [3 * 0.707, 3 * 0.707])


H = 2.0 ** np.arange(-46.0, 0.0, 2.0)


@pytest.mark.parametrize(("name", "at", "third"), [("exp", 0.5, np.exp(0.5)), ("sin", 1.0, np.cos(1.0))])
def test_truncation(name, at, third):
    """It is |J'''| h^2 / 6, from values that round."""
    function = getattr(np, name)
    slopes = (function(at + H) - function(at - H)) / (2 * H)
    found = truncation_branch(H, slopes, noise_branch(H, 2e-16, 0.0))
    np.testing.assert_allclose(found, third / 6 * H**2, rtol=0.05)


@pytest.mark.parametrize("slope", [np.abs, np.square, lambda x: 3.0 * x])
def test_no_truncation_where_none_is_seen(slope):
    """A kink, a parabola and a line show no h^2."""
    slopes = (slope(0.3 + H) - slope(0.3 - H)) / (2 * H)
    assert np.isnan(truncation_branch(H, slopes, noise_branch(H, 2e-16, 0.0))).all()


def test_noise_alone_is_no_truncation():
    """Random slopes that grow as noise does show none, in a hundred draws."""
    noise = noise_branch(H, 1e-16, 0.0)
    for seed in range(100):
        slopes = 1.0 + noise * np.random.default_rng(seed).normal(size=len(H))
        assert np.isnan(truncation_branch(H, slopes, noise)).all()


def test_one_change_that_grows_by_chance():
    """A change of slope that is followed by one sixteen times as large, and by no further, is no h^2."""
    changes = np.ones(len(H) - 1)
    changes[[5, 10]] = 16.0, 1e-3
    slopes = np.concatenate([[0.0], np.cumsum(changes * np.tile([1.0, -1.0], len(H))[: len(changes)])])
    assert np.isnan(truncation_branch(H, slopes, 0.0 * H)).all()


def test_values_outside_a_domain():
    """Slopes that are NaN at wide steps hide nothing of the finer ones."""
    slopes = 1.0 + 5.0 * H**2
    slopes[-3:] = np.nan
    np.testing.assert_allclose(truncation_branch(H, slopes, 1e-16 / H), 5.0 * H**2, rtol=0.01)
