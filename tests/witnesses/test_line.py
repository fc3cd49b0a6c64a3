"""A cost and its gradient along a line: the direction leaves nothing out, and points are exact."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fastgrad
from fastgrad.problem.parameters import Parameters
from fastgrad.witnesses.line import Line, dyadic_direction

PARAMS = {"a": np.array([0.3, -1.5, 0.25]), "b": np.array([[2.0], [-0.125]])}


def cost(p):
    """A smooth cost of two blocks."""
    return np.sum(np.sin(p["a"])) + np.sum(p["b"] ** 3)


def gradient(p):
    """Its gradient."""
    return {"a": np.cos(p["a"]), "b": 3 * p["b"] ** 2}


def line(**options):
    """The line of that problem in a random direction."""
    parameters = Parameters(PARAMS)
    direction = dyadic_direction(parameters, np.random.default_rng(2))
    return Line(fastgrad.Problem(cost, gradient, PARAMS), parameters, direction, **options)


class TestDirection:
    @given(st.integers(0, 10**6), st.floats(-6, 6))
    def test_no_coordinate_is_left_out(self, seed, exponent):
        """Each entry is between half and one and a half times the block's size, in eighths."""
        leaf = np.full(7, 10.0**exponent)
        (v,) = dyadic_direction(Parameters(leaf), np.random.default_rng(seed))
        size = 2.0 ** np.floor(np.log2(max(10.0**exponent, 1e-3)))

        assert (np.abs(v) >= size / 2).all()
        assert (np.abs(v) <= 1.5 * size).all()
        assert (v / size * 8 == np.round(v / size * 8)).all()


class TestLine:
    def test_cost(self):
        """The cost at x + t v is the cost there, and the parameters stay as they were."""
        here = line()
        there = {
            name: x + 0.5 * v.reshape(x.shape)
            for (name, x), v in zip(PARAMS.items(), here.direction, strict=True)
        }

        assert here.cost(0.0) == cost(PARAMS)
        assert here.cost(0.5) == cost(there)
        assert PARAMS["a"].tolist() == [0.3, -1.5, 0.25]

    def test_complex(self):
        """Along the imaginary axis the imaginary part is the slope of the line."""
        here = line()
        slope = sum(
            float(np.sum(g.reshape(-1) * v))
            for g, v in zip(gradient(PARAMS).values(), here.direction, strict=True)
        )

        assert here.cost(1e-30j).imag / 1e-30 == pytest.approx(slope, rel=1e-14)

    def test_vectorized(self):
        """A vectorized cost is given a batch of one point."""
        batch = fastgrad.Problem(lambda x: np.sum(x**2, axis=1), None, np.ones(3))
        parameters = Parameters(np.ones(3))

        assert Line(batch, parameters, [np.full(3, 0.5)], vectorized=True).cost(2.0) == 12.0

    def test_rise(self):
        """The gradient in the middle times the step is the rise of a cost of the second degree."""
        x = np.array([1.0, -2.0])
        square = fastgrad.Problem(lambda x: np.sum(x**2), lambda x: 2 * x, x)
        here = Line(square, Parameters(x), [np.array([0.5, 0.25])])

        assert here.rise(0.5, 0.0, 1.0) == pytest.approx(here.cost(1.0) - here.cost(0.0), rel=1e-15)
