"""What a few coordinates of a block say of all: noise, step, truncation error."""

from __future__ import annotations

import zlib

import numpy as np
import pytest
from running import X, running

from fastgrad.coordinates.calibration import CALIBRATED, FRUGAL, calibrate


def calibration_of(cost, params=X, most=CALIBRATED, **options):
    """The calibration of all blocks of a cost."""
    engines = running(cost, np.zeros_like(params), params, **options).engines
    return calibrate(engines, np.arange(len(params)), 0, most)


@pytest.mark.parametrize("scatter", [1e-9, 1e-6])
def test_noise_is_measured(scatter):
    """Scatter that a cost has between neighbouring points is found to within a factor of four."""

    def cost(x):
        return float(np.sum(x**2)) + scatter * (zlib.crc32(x.tobytes()) / 2**32 - 0.5)

    found = calibration_of(cost).constant[0]
    assert scatter * 0.289 / 2 < found < 4 * 2 * scatter * 0.289


def test_the_step_follows_the_curvature():
    """A cost that waves a thousand times as fast gets a step a hundred times as small."""
    slow, fast = (calibration_of(lambda x, k=k: float(np.sum(np.sin(k * x)))) for k in (1.0, 1e3))
    assert slow.step[0] > 100 * fast.step[0]


def test_truncation_covers_what_differences_leave():
    """The truncation error that is allowed for is at least the true one, where coordinates are alike."""
    found = calibration_of(lambda x: float(np.sum(np.exp(x / 10))))
    h = found.step[0]
    true = np.exp(X.max() / 10) * h**2 / 6 / 1000
    assert found.truncation[0] + 5 * found.constant[0] / h >= true


def test_without_budget_one_speaks_for_all():
    """With no coordinates of each block one is measured, truncation is unknown, and that is said."""
    found = calibration_of(lambda x: float(np.sum(np.sin(x))), most=0)
    assert np.isinf(found.truncation).all()
    assert found.notes == (FRUGAL,)


def test_same_seed_same_calibration():
    """The coordinates are drawn by the seed, so that a check can be had again."""
    one, two = (calibration_of(lambda x: float(np.sum(np.exp(x)))) for _ in range(2))
    assert (one.constant == two.constant).all()
    assert (one.truncation == two.truncation).all()
