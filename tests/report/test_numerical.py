"""The numerical gradient, in the structure of the parameters."""

from __future__ import annotations

import numpy as np
import pytest
from problems import (
    layered_problem,
    sphere,
)

import fastgrad


class TestNumericalGradient:
    def test_structure_and_accuracy(self):
        """Values and bounds come in the parameters' structure, and the bounds hold."""
        problem = layered_problem()
        exact = problem.gradient(problem.params, *problem.args)
        found = fastgrad.numerical_gradient(problem.cost, problem.params, args=problem.args)
        assert list(found.values) == ["enc", "out"]
        for value, bound, truth in (
            (found.values["enc"]["W"], found.error_bound["enc"]["W"], exact["enc"]["W"]),
            (found.values["out"][0], found.error_bound["out"][0], exact["out"][0]),
        ):
            assert value.shape == truth.shape
            assert np.all(np.abs(value - truth) <= bound)

    def test_entries_left_out_are_nan(self):
        """Entries that were not asked for are NaN, not zero."""
        found = fastgrad.numerical_gradient(sphere, np.array([1.0, 2.0]), coordinates=[1])
        assert np.isnan(found.values[0])
        assert found.values[1] == pytest.approx(4.0)

    def test_tolerance_is_refused(self):
        """A tolerance has no meaning for one gradient."""
        with pytest.raises(fastgrad.InputError, match="only one"):
            fastgrad.numerical_gradient(sphere, np.ones(2), tolerance=1e-3)
