"""What a few coordinates of a block say of all: noise, step, truncation error."""

from __future__ import annotations

import zlib

import numpy as np
import pytest
from running import X, running

from fastgrad.coordinates.block_calibration import CALIBRATED, FRUGAL, BlockCalibration, calibrate_blocks
from fastgrad.problem.parameters import Parameters


def calibration_of(cost, params=X, most=CALIBRATED, **options):
    """The calibration of all blocks of a cost."""
    engines = running(cost, np.zeros_like(params), params, **options).engines
    return calibrate_blocks(engines, np.arange(len(params)), 0, most)


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


def blocks_of(*rows, parameters=None):
    """A calibration of two blocks from its four rows."""
    parameters = parameters or Parameters({"W": np.full(3, 2.0), "b": np.ones(2)})
    return BlockCalibration.of(parameters, np.array(rows, dtype=float))


def test_scales_are_those_of_the_block():
    """Each coordinate has size, step and noise of its block, and is of its group."""
    found = blocks_of([1e-16, 2e-16], [0, 1e-12], [1e-3, 1e-2], [0.5, 0.25])
    scales = found.scales(np.array([1, 2, 4]))
    assert scales.step.tolist() == [1e-3, 1e-3, 1e-2]
    assert scales.own.tolist() == scales.size.tolist() == [2.0, 2.0, 1.0]
    assert scales.group.tolist() == [0, 0, 1]
    assert scales.noise_at(np.array([1.0, -1.0, -2.0])).tolist() == [1e-16, 1e-16, 2e-16 + 2e-12]


def test_what_steps_hide():
    """The truncation of a block is kept as a change of the cost, and nothing is said of how values bend."""
    found = blocks_of([1e-16, 2e-16], [0, 0], [1e-3, 1e-2], [0.5, np.nan])
    assert found.hidden.truncation_of(np.array([0, 1])).tolist() == [0.5e-3, np.inf]
    assert found.hidden.bend_of(np.array([0, 1])).tolist() == [np.inf, np.inf]


def test_noise_by_name():
    """The noise of each block is that at its step; the largest is of what does not grow with the step."""
    found = blocks_of([1e-16, np.nan], [1e-12, np.nan], [1e-3, np.nan], [0.5, np.nan])
    assert found.noise["W"] == pytest.approx(1e-16 + 1e-15)
    assert np.isnan(found.noise["b"])
    assert found.largest_noise == 1e-16
    assert found.noise_parts["W"] == (1e-16, 1e-12)
    assert np.isnan(found.noise_parts["b"]).all()
