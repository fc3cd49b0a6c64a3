"""A numerical gradient in the structure of the user's parameters."""

from __future__ import annotations

import numpy as np

import fastgrad
from fastgrad.problem.parameters import Parameters
from fastgrad.report.numerical import _scattered

PARAMS = {"a": np.ones((2, 2)), "b": [np.ones(3)]}


class TestScattered:
    def test_where_they_belong(self):
        """Each value stands at its coordinate, and the others are what unknown is."""
        found = _scattered(Parameters(PARAMS), np.array([1, 6]), np.array([5.0, 7.0]), np.inf)

        assert found["a"].tolist() == [[np.inf, 5.0], [np.inf, np.inf]]
        assert found["b"][0].tolist() == [np.inf, np.inf, 7.0]


class TestNumericalGradient:
    def test_structure(self):
        """Values and bounds have the structure of the parameters, and what was not asked for is unknown."""
        found = fastgrad.numerical_gradient(
            lambda p: np.sum(p["a"] ** 2) + np.sum(p["b"][0]), PARAMS, coordinates=np.array([0, 5])
        )

        assert found.values["a"].shape == (2, 2)
        assert np.isfinite(found.values["a"]).tolist() == [[True, False], [False, False]]
        assert np.isnan(found.values["b"][0]).tolist() == [True, False, True]
        assert np.isinf(found.error_bound["b"][0]).tolist() == [True, False, True]
