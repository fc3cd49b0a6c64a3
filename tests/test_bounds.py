"""Estimates and their error bounds: the bound holds the true error, and unknown is NaN."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastgrad.bounds import coarsest_epsilon, estimate
from fastgrad.engines.python import PythonEngine
from fastgrad.parameters import Parameters
from fastgrad.stencils import CENTRAL, STENCILS
from fastgrad.steps import make_plan, stencil_dtype

EPS = np.finfo(np.float64).eps


def estimates_of(cost, structure, method="central", step=None):
    """The estimates for all coordinates of a structure, from the cost itself."""
    parameters, stencil = Parameters(structure), STENCILS[method]
    plan = make_plan(parameters, np.arange(parameters.size), stencil, step)
    engine = PythonEngine(cost, parameters, (), stencil_dtype(stencil))
    values = engine.values(plan.indices, plan.displacements)
    return estimate(plan, values, engine.baseline(), parameters, coarsest_epsilon(parameters))


def estimates_from(values, cost, structure):
    """The estimates for all coordinates by central differences, from values that are given."""
    parameters = Parameters(structure)
    plan = make_plan(parameters, np.arange(parameters.size), CENTRAL)
    return estimate(plan, np.array(values, dtype=float), cost, parameters, EPS)


# cost, its exact gradient, why
SMOOTH = [
    (lambda x: np.sum(x**2), lambda x: 2 * x, "quadratic"),
    (lambda x: np.sum(x**7), lambda x: 7 * x**6, "steep"),
    (lambda x: np.sum(np.exp(x)), np.exp, "all derivatives alike"),
    (lambda x: 1e6 + np.sum(np.sin(x)), np.cos, "a large offset"),
    (lambda x: 1e-9 * np.sum(np.tanh(x)), lambda x: 1e-9 / np.cosh(x) ** 2, "a small scale"),
    (lambda x: np.sum(0 * x), lambda x: 0 * x.real, "constant"),
]


class TestErrorBound:
    @pytest.mark.parametrize("method", sorted(STENCILS))
    @pytest.mark.parametrize(("cost", "slope", "why"), SMOOTH, ids=[why for _, _, why in SMOOTH])
    def test_holds_the_true_error(self, cost, slope, why, method, rng):
        """For smooth costs the true error of each estimate is within its bound, by every method."""
        del why
        x = rng.array(20, largest=2.0)
        found = estimates_of(cost, x, method)
        assert (np.abs(found.numeric - slope(x)) <= found.error_bound).all()

    @pytest.mark.parametrize("step", [1e-1, 1e-2, 1e-3, 1e-4])
    @pytest.mark.parametrize("method", ["forward", "central", "central4", "central6"])
    def test_holds_the_error_of_a_large_step(self, method, step, rng):
        """Where a given step is so large that truncation is the error, the bound holds that too."""
        x = rng.array(20, largest=2.0)
        found = estimates_of(lambda x: np.sum(np.exp(x)), x, method, step)
        assert (np.abs(found.numeric - np.exp(x)) <= found.error_bound).all()

    @pytest.mark.parametrize("method", ["central", "central4"])
    def test_is_of_use(self, method, rng):
        """The bound is small enough to see an error of 1 part in 10,000 in a cost of scale 1."""
        x = rng.array(20, largest=2.0)
        found = estimates_of(lambda x: np.sum(np.exp(x)), x, method)
        assert (found.error_bound < 1e-4 * np.exp(x)).all()

    def test_float32_costs_get_float32_bounds(self):
        """Where one block is float32 the cost may round like float32, and every bound allows for it."""
        mixed = {"a": np.ones(2, dtype=np.float32), "b": np.ones(2)}
        double = {"a": np.ones(2), "b": np.ones(2)}

        def cost(p):
            return float(np.sum(p["a"]) + np.sum(p["b"]))

        assert estimates_of(cost, mixed).error_bound[2] > 1e3 * estimates_of(cost, double).error_bound[2]

    @given(st.integers(-40, 40))
    def test_scales_with_the_cost(self, exponent):
        """A cost measured in another unit has estimates and bounds in that unit, to the bit."""
        unit = 2.0**exponent
        x = np.array([0.5, -1.25, 2.0])
        one = estimates_of(lambda x: float(np.sum(x**3)), x)
        other = estimates_of(lambda x: unit * float(np.sum(x**3)), x)
        assert other.numeric.tolist() == (unit * one.numeric).tolist()
        assert other.error_bound.tolist() == pytest.approx((unit * one.error_bound).tolist(), rel=1e-15)

    @pytest.mark.parametrize("method", sorted(STENCILS))
    def test_huge_gradient_keeps_a_finite_bound(self, method):
        """A derivative of 1e200, whose square overflows, has a bound that is small against it."""
        found = estimates_of(lambda x: 1e200 * x[0] + 2e200 * x[1], np.ones(2), method)
        assert (found.error_bound < 1e-3 * np.array([1e200, 2e200])).all()
        assert found.block_rms[0] == pytest.approx(2.5**0.5 * 1e200)

    def test_tiny_gradient_keeps_its_rms(self):
        """A derivative of 1e-200, whose square vanishes, still counts in its block's rms."""
        found = estimates_of(lambda x: 1e-200 * x[0] + 2e-200 * x[1], np.ones(2))
        assert found.block_rms[0] == pytest.approx(2.5**0.5 * 1e-200)


class TestUnknown:
    @pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
    @pytest.mark.parametrize("at", [0, 1])
    def test_is_nan(self, bad, at):
        """A value that is not finite makes estimate and bound NaN, at its own coordinate only."""
        values = [[1.0, 1.0], [1.0, 1.0], [1.0, 1.0]]
        values[1][at] = bad
        found = estimates_from(values, 1.0, np.ones(3))
        assert np.isnan(found.numeric).tolist() == [False, True, False]
        assert np.isnan(found.error_bound).tolist() == [False, True, False]

    def test_difference_that_overflows_is_nan(self):
        """Two finite values whose difference is not finite give NaN, not inf."""
        found = estimates_from([[-1.7e308, 1.7e308]], 0.0, np.ones(1))
        assert np.isnan(found.numeric).all()

    def test_block_rms_is_of_what_is_known(self):
        """A block's rms is taken over its finite estimates; it is 0 where there is none."""
        h = 2.0**-17
        values = [[-3 * h, 3 * h], [np.nan, 0.0], [np.nan, 0.0]]
        found = estimates_from(values, 0.0, {"a": np.ones(2), "b": np.ones(1)})
        assert found.numeric[0] == 3.0
        assert found.block_rms.tolist() == [3.0, 0.0]


class TestBlockRms:
    def test_is_by_block(self):
        """Each block has the rms of its own estimates; a block without a checked coordinate has 0."""
        parameters = Parameters({"a": np.ones(2), "b": np.ones(3), "c": np.ones(2)})
        plan = make_plan(parameters, np.array([0, 1, 5]), CENTRAL)
        values = np.array([[-3.0, 3.0], [-4.0, 4.0], [-5.0, 5.0]]) * plan.steps[:, None]
        found = estimate(plan, values, 0.0, parameters, EPS)
        assert found.numeric.tolist() == [3.0, 4.0, 5.0]
        assert found.block_rms.tolist() == [pytest.approx(12.5**0.5), 0.0, 5.0]


class TestCoarsestEpsilon:
    @pytest.mark.parametrize(
        ("structure", "dtype"),
        [
            (np.ones(1), np.float64),
            ({"a": np.ones(1), "b": np.ones(1, np.float32)}, np.float32),
            ([np.ones(1, np.float32)], np.float32),
            (1.0, np.float64),
        ],
    )
    def test_is_the_largest(self, structure, dtype):
        """One float32 block is enough to make the machine epsilon that of float32."""
        assert coarsest_epsilon(Parameters(structure)) == np.finfo(dtype).eps
