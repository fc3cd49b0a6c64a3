"""What all stages share: steps no smaller than rounding allows, and what floating point makes of them."""

from __future__ import annotations

import numpy as np
import pytest
from running import running

from fastgrad.differences.steps import ULPS_OF_A_RAISED_STEP

PARAMS = {"W": np.array([0.5, 1e6, -3.0]), "b": np.array([0.1, 100.0], dtype=np.float32)}


def cost(p):
    """A cost of two blocks of different dtypes."""
    return float(np.sum(p["W"]) + np.sum(p["b"]))


@pytest.fixture
def setting():
    """The setting of a check of two blocks."""
    coordinates = running(cost, {"W": np.ones(3), "b": np.ones(2, dtype=np.float32)}, PARAMS)
    coordinates.calibrate(np.arange(5))
    return coordinates._setting(5)


def test_steps_are_raised_by_their_own_parameter(setting):
    """A step that rounding would spoil is raised to 16 ulp of its own parameter, in its own dtype."""
    raised = setting.raised(np.arange(5), np.full(5, 1e-10))
    ulp = np.append(np.spacing(np.abs(PARAMS["W"])), np.spacing(PARAMS["b"]).astype(float))
    assert raised.tolist() == np.where(ulp > 1e-10 / 8, ULPS_OF_A_RAISED_STEP * ulp, 1e-10).tolist()
    assert (raised > 1e-10).tolist() == [False, True, False, True, True]


def test_raising_leaves_what_is_handed_in(setting):
    """The steps that are handed in stay as they are."""
    steps = np.full(2, 1e-30)
    setting.raised(np.array([1, 4]), steps)
    assert steps.tolist() == [1e-30] * 2


def test_displacements_are_what_floating_point_makes(setting):
    """The displacement of a point is the difference of what is evaluated and the parameter, by dtype."""
    indices, offsets = np.array([1, 3, 4]), np.array([[-1e-3, 1e-3], [-1e-3, 1e-3], [-1e-6, 1e-3]])
    d = setting.displacements(indices, offsets)
    w, b = PARAMS["W"][1], PARAMS["b"]
    assert d[0].tolist() == [(w - 1e-3) - w, (w + 1e-3) - w]
    moved = [np.float32(float(b[0]) + o) - float(b[0]) for o in (-1e-3, 1e-3)]
    assert d[1].tolist() == [float(v) for v in moved]
    assert d[2, 0] == 0.0  # less than an ulp of a float32 number near 100
