"""The table of resolutions: its gradients are right, and each kind of cost has a row."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))

import resolutions


@pytest.mark.parametrize(
    "problem",
    [
        resolutions.regression_of(0, np.float64),
        resolutions.network_of(0, np.float64, relu=False, sizes=(4, 3, 3)),
        resolutions.network_of(0, np.float64, relu=True, sizes=(4, 3, 3)),
        resolutions.fixed_point_of(0, 0.0),
        resolutions.root_of(0, 1e-15),
    ],
    ids=["regression", "tanh", "relu", "fixed point", "roots"],
)
def test_gradients(problem):
    """Each gradient is that of its cost, where that is exact."""
    claimed = problem.gradient(problem.params, *problem.args)
    params = problem.params if isinstance(problem.params, dict) else {"": problem.params}
    claims = claimed if isinstance(claimed, dict) else {"": claimed}
    for name, block in params.items():
        for index in np.ndindex(block.shape):
            before, sides = block[index], []
            for sign in (1, -1):
                block[index] = before + sign * 1e-5
                sides.append(problem.cost(problem.params, *problem.args))
            block[index] = before
            assert (sides[0] - sides[1]) / 2e-5 == pytest.approx(claims[name][index], rel=1e-5, abs=1e-8)


def test_rows():
    """A row says how many of each verdict there were, and to what was seen."""
    found = tuple(resolutions.row("regression", resolutions.KINDS["float64: regression, networks"][:1], 2))
    name, verdicts, median, worst, small, together = found
    assert (name, verdicts, small, together) == ("regression", "2 / 0 / 0", "", "")
    assert 0 < float(median) <= float(worst) < 1e-6
    assert len(resolutions.HEADS) == len(found)
    assert resolutions.markdown([found]).endswith(f"\n| regression | 2 / 0 / 0 | {median} | {worst} |  |  |")
