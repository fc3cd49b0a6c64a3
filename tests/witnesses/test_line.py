"""A cost and its gradient along a straight line through the parameters."""

from __future__ import annotations

import numpy as np
import pytest

import fastgrad
from fastgrad.problem.parameters import Parameters
from fastgrad.witnesses.functions import Functions
from fastgrad.witnesses.line import Line, dyadic_direction

X = {"W": np.array([[0.5, -1.25], [2.0, 0.75]]), "b": np.array([0.25, 0.5])}


def line_of(cost, gradient=None):
    """A line along a random direction."""
    parameters = Parameters(X)
    direction = dyadic_direction(parameters, np.random.default_rng(0))
    return Line(Functions(fastgrad.Problem(cost, gradient, X), parameters), direction)


def test_components_are_short_in_binary():
    """Components are sixteenths of a power of two, so that x + t v is exact for a power of two t."""
    parameters = Parameters(X)
    for v, typical in zip(
        dyadic_direction(parameters, np.random.default_rng(1)), parameters.typical_sizes, strict=True
    ):
        size = 2.0 ** np.floor(np.log2(typical))
        assert (np.abs(v / size * 8) % 1 == 0).all()
        assert (np.abs(v) >= size / 2).all()


@pytest.mark.parametrize("t", [0.0, 0.25, -1.0])
def test_the_cost_along_it(t):
    """The cost at x + t v is that of the moved parameters."""
    line = line_of(lambda p: float(np.sum(p["W"] ** 2) + np.sum(p["b"])))
    w, b = X["W"].reshape(-1) + t * line.direction[0], X["b"] + t * line.direction[1]
    assert line.cost(t) == pytest.approx(float(w @ w + b.sum()), rel=1e-15)


def test_the_rise_is_the_gradient_times_the_way():
    """For a linear cost what the gradient says of a stretch is what the cost rises by on it."""
    line = line_of(
        lambda p: float(3 * p["W"].sum() - p["b"].sum()),
        lambda p: {"W": np.full((2, 2), 3.0), "b": np.full(2, -1.0)},
    )
    assert line.rise(0.1, -0.5, 0.5) == pytest.approx(line.cost(0.5) - line.cost(-0.5), rel=1e-14)
