"""Four values around a coordinate: what they show, and the step that would fit the cost's shape."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from running import X, running, sines

from fastgrad.coordinates.four_values import (
    NARROWEST,
    UNLIKE,
    WIDEST,
    WIDEST_OF_SIZE,
    TwoScales,
    fit_steps,
    four_values,
    room_for,
)
from fastgrad.coordinates.table import OWN, CoordinateTable
from fastgrad.differences.plan import make_plan
from fastgrad.differences.stencils import CENTRAL

EVERYONE = np.arange(len(X))


def setting_of(cost=sines, claim=None, params=X):
    """The setting of a check, calibrated."""
    coordinates = running(cost, claim, params)
    coordinates.calibrate(np.arange(len(params)))
    return coordinates._setting(len(params))


def shown(truncation, noise, numeric=1.0, bound=None, kinked=False):
    """What one coordinate shows, made up."""
    one = np.ones(1)
    bound = truncation + noise if bound is None else bound
    return TwoScales(numeric * one, bound * one, truncation * one, noise * one, 0 * one, np.array([kinked]))


def factor_of(found, most=1.0):
    """By what the step of that coordinate is to be multiplied."""
    return float(found.factor(np.array([most]))[0])


class TestFactor:
    @pytest.mark.parametrize("ratio", [1 / UNLIKE, 1.0, UNLIKE])
    def test_a_step_that_fits_stays(self, ratio):
        """Where truncation and noise are alike to a factor of four the step is the right one."""
        assert factor_of(shown(1e-3 * ratio, 1e-3), WIDEST) == 1.0

    @pytest.mark.parametrize("decade", [-6, -4, -3])
    def test_too_wide(self, decade):
        """Where truncation is far more the step shrinks by the cube root, to the power of two below."""
        factor = factor_of(shown(1e-2, 1e-2 * 10.0**decade))
        assert 10 ** (decade / 3) / 2 < factor <= 10 ** (decade / 3)
        assert np.frexp(factor)[0] == 0.5

    def test_too_narrow(self):
        """Where noise is far more the step grows, as far as there is room."""
        assert factor_of(shown(1e-6, 1e-3), 64.0) == 8.0
        assert factor_of(shown(1e-6, 1e-3), 3.0) == 2.0
        assert factor_of(shown(1e-6, 1e-3), 0.5) == 1.0

    def test_not_at_once_by_more_than_can_be_known(self):
        """No step is changed by more than a factor of 4096 down, or 16 up, at once."""
        assert factor_of(shown(0.5, 0.0)) == NARROWEST
        assert factor_of(shown(0.0, 0.5), 1e9) == WIDEST

    def test_small_errors_are_left_alone(self):
        """Where neither covers an error that counts no step is changed."""
        assert factor_of(shown(5e-7, 1e-9), WIDEST) == 1.0
        assert factor_of(shown(5e-6, 1e-9), WIDEST) < 1.0

    def test_what_is_drowned_kinked_or_unknown_is_left_alone(self):
        """A derivative that does not stand out of its bound, a kink, or no value tells nothing of a step."""
        assert factor_of(shown(1.5, 1e-3), WIDEST) == 1.0
        assert factor_of(shown(1e-1, 1e-6, kinked=True), WIDEST) == 1.0
        assert factor_of(shown(np.nan, 1e-6, numeric=np.nan, bound=np.inf), WIDEST) == 1.0

    @given(st.floats(1e-12, 1e3), st.floats(1e-12, 1e3), st.integers(-90, 90))
    def test_units(self, truncation, noise, exponent):
        """Derivatives in other units ask for the same factor."""
        c = 2.0**exponent
        one, other = shown(truncation, noise), shown(c * truncation, c * noise, numeric=c)
        assert factor_of(one, 4.0) == factor_of(other, 4.0)


class TestFourValues:
    def test_bounds_hold(self):
        """Estimates of a smooth cost lie within their bounds, and these are narrow."""
        setting = setting_of()
        steps = setting.calibration.scales(EVERYONE).step
        found = four_values(setting, EVERYONE, steps)
        assert (np.abs(found.numeric - np.cos(X)) <= found.error_bound).all()
        assert (found.error_bound <= 1e-6).all()
        assert not found.kinked.any()

    def test_what_two_scales_show(self):
        """Truncation is a third of what two steps are apart, and the bend that of the closer values."""
        setting = setting_of(lambda x: float(np.sum(x**3)), 3 * X**2)
        steps = np.full(8, 2.0**-7)
        found = four_values(setting, EVERYONE, steps)
        assert found.truncation == pytest.approx(steps**2, rel=1e-6)
        assert found.bend == pytest.approx(6 * np.abs(X) * steps**2, rel=1e-6)

    def test_kinks_show(self):
        """A kink within the closer values shows at its coordinate, and at no other."""
        at = X[2] + 1e-7

        def cost(x):
            return float(np.sum(np.sin(x)) + abs(x[2] - at))

        found = four_values(setting_of(cost), EVERYONE, np.full(8, 2.0**-12))
        assert found.kinked.tolist() == (EVERYONE == 2).tolist()

    def test_outside_of_the_domain(self):
        """Where a value does not exist nothing is known, and nothing is claimed of a kink."""

        def cost(x):
            return float(np.sum(np.sin(x))) if x[1] < X[1] + 1e-3 else np.nan

        found = four_values(setting_of(cost), EVERYONE, np.full(8, 2.0**-9))
        assert np.isnan(found.numeric).tolist() == (EVERYONE == 1).tolist()
        assert np.isinf(found.error_bound).tolist() == (EVERYONE == 1).tolist()
        assert not found.kinked.any()


class TestFitSteps:
    def fitted(self, cost, slopes, step):
        """The table after steps were fitted, from a step that does not fit."""
        setting = setting_of(cost, slopes)
        steps = np.full(8, step)
        found = four_values(setting, EVERYONE, steps)
        plan = make_plan(setting.parameters, EVERYONE, CENTRAL, None, steps)
        table = CoordinateTable.screened(plan, found.numeric, found.error_bound, np.abs(X), 1.0, True)
        before = table.error_bound.copy()
        fit_steps(setting, table, EVERYONE, steps, found, OWN)
        return table, before

    @pytest.mark.parametrize("frequency", [30.0, 300.0])
    def test_a_step_that_is_too_wide_shrinks(self, frequency):
        """A cost that waves within the step is measured again closer by, and bounds hold."""
        slopes = np.cos(frequency * X) * frequency
        table, before = self.fitted(lambda x: float(np.sum(np.sin(frequency * x))), slopes, 0.25 / frequency)
        assert (np.abs(table.numeric - slopes) <= table.error_bound).all()
        assert (table.error_bound <= before).all()
        assert np.median(table.error_bound / before) < 1e-2

    def test_a_step_that_is_too_narrow_grows(self):
        """A derivative that is lost in noise is measured again farther off."""
        table, before = self.fitted(lambda x: 1e6 + float(np.sum(np.sin(x))), np.cos(X), 2.0**-22)
        assert (np.abs(table.numeric - np.cos(X)) <= table.error_bound).all()
        assert np.median(table.error_bound / before) < 0.1

    def test_room(self):
        """The farther values stay within a quarter of the parameter."""
        setting = setting_of()
        steps = np.full(8, 2.0**-7)
        farthest = 2 * steps * room_for(setting, EVERYONE, steps)
        assert farthest == pytest.approx(2 * WIDEST_OF_SIZE * np.abs(X))
