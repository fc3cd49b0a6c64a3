"""The stages: each measures what it says, at the positions it is given."""

from __future__ import annotations

import numpy as np
import pytest
from running import X, running, sines

from fastgrad.coordinates.stages import STAGES, look_closer, remeasure_steepest, screen
from fastgrad.coordinates.table import CONFIRMED, FINER, LADDERED, OWN, SCREENED, WIDER
from fastgrad.coordinates.two_scales import learn_from_some
from fastgrad.differences.plan import make_plan
from fastgrad.differences.stencils import CENTRAL

EVERYONE = np.arange(len(X))
BY_LEVEL = {stage.level: stage for stage in STAGES}


def screened(cost=sines, params=X, slope=np.cos, learn=True):
    """The setting and the screened table of all coordinates."""
    coordinates = running(cost, slope(params), params)
    everyone = np.arange(len(params))
    coordinates.calibrate(everyone)
    setting = coordinates._setting(len(params))
    if learn:
        learn_from_some(setting, everyone, CENTRAL, False, 0)
    steps = coordinates.calibration.scales(everyone).step
    plan = make_plan(coordinates.engines.moved, everyone, CENTRAL, None, steps)
    values = coordinates.engines.in_reals(plan.indices, plan.displacements)
    return setting, screen(setting, plan, values)


class TestScreen:
    def test_bounds_hold(self):
        """Two values, and what coordinates alike show, give estimates within narrow bounds."""
        _, table = screened()
        assert (np.abs(table.numeric - np.cos(X)) <= table.error_bound).all()
        assert (table.error_bound < 1e-6).all()
        assert (table.level == SCREENED).all()
        assert table.size.tolist() == np.abs(X).tolist()
        assert table.moves

    def test_without_coordinates_alike_nothing_is_known(self):
        """Where nothing was learnt of what a step hides, two values bound nothing."""
        assert np.isinf(screened(learn=False)[1].error_bound).all()

    def test_values_that_bend_unlike_others(self):
        """A kink within the step leaves one coordinate unknown, of which the others say nothing."""
        params = np.linspace(0.6, 0.9, 64)
        at = params[40] + 1e-7
        _, table = screened(lambda x: float(np.sum(np.sin(x)) + 3 * abs(x[40] - at)), params)
        assert np.flatnonzero(np.isinf(table.error_bound)).tolist() == [40]

    def test_a_cost_that_stands_still_does_not_move(self):
        """Where the cost changes by no more than its noise, it is said not to move."""
        assert not screened(lambda x: 4.5, slope=np.zeros_like)[1].moves

    def test_the_steepest_change_is_an_effect(self):
        """The steepest secant is that of the cost, times the size of its parameter, in any unit."""
        params = X * 1e6
        _, table = screened(lambda x: float(np.sum(np.sin(x / 1e6))), params, lambda x: np.cos(x / 1e6) / 1e6)
        assert table.steepest == pytest.approx(np.max(np.abs(X * np.cos(X))), rel=1e-3)


class TestEach:
    @pytest.mark.parametrize("stage", STAGES, ids=lambda stage: str(stage.level))
    @pytest.mark.parametrize("suspect", [False, True])
    def test_derivatives_hold_their_bounds(self, stage, suspect):
        """Whatever stage measured a derivative, the true one lies within its bound."""
        setting, table = screened()
        table.suspect[:], table.doubt[:] = suspect, 0.1 * suspect
        stage.measure(setting, table, np.array([1, 4]))
        assert (np.abs(table.numeric - np.cos(X)) <= table.error_bound).all()
        assert (table.level[[1, 4]] == stage.level).all() or stage.level == FINER

    @pytest.mark.parametrize("stage", STAGES, ids=lambda stage: str(stage.level))
    def test_only_what_is_asked_for(self, stage):
        """A stage measures the positions that it is given, and no others."""
        setting, table = screened()
        table.suspect[:] = True
        before = table.numeric.copy(), table.error_bound.copy()
        stage.measure(setting, table, np.array([2]))
        others = EVERYONE != 2
        assert (table.level > SCREENED).tolist() == (~others).tolist()
        np.testing.assert_array_equal(table.numeric[others], before[0][others])
        np.testing.assert_array_equal(table.error_bound[others], before[1][others])

    def test_levels_go_up(self):
        """The stages are in order, from cheap to careful."""
        assert [stage.level for stage in STAGES] == [OWN, WIDER, FINER, LADDERED, CONFIRMED]
        assert STAGES[-1].evaluations > STAGES[0].evaluations


class TestOwnAndFiner:
    def test_two_steps_confirm_each_other(self):
        """What looks wrong, and shows one derivative at two unrelated steps, is agreed on."""
        setting, table = screened()
        table.suspect[3], table.doubt[3] = True, 0.5
        for level in (OWN, FINER):
            BY_LEVEL[level].measure(setting, table, np.array([3]))
        assert table.agreed.tolist() == (EVERYONE == 3).tolist()
        assert not table.special.any()

    def test_a_kink_is_special(self):
        """A kink close to the point is put down, and nothing is agreed on."""
        at = X[3] + 1e-9
        setting, table = screened(lambda x: float(np.sum(np.sin(x)) + abs(x[3] - at)))
        table.suspect[3], table.doubt[3] = True, 0.5
        for level in (OWN, FINER):
            BY_LEVEL[level].measure(setting, table, np.array([3]))
        assert table.special[3]
        assert not table.agreed[3]

    def test_a_doubt_that_noise_covers_is_not_agreed_on(self):
        """Two steps confirm nothing where the doubt is no larger than what they leave open."""
        setting, table = screened()
        table.suspect[3], table.doubt[3] = True, 1e-12
        for level in (OWN, FINER):
            BY_LEVEL[level].measure(setting, table, np.array([3]))
        assert not table.agreed.any()

    def test_no_finer_than_the_doubt_asks_for(self):
        """Where noise is large the steps stay where noise lets the difference be seen."""
        setting, table = screened(lambda x: 1e6 + float(np.sum(np.sin(x))))
        table.suspect[:], table.doubt[:] = True, 1e-5
        for level in (OWN, FINER):
            BY_LEVEL[level].measure(setting, table, EVERYONE)
        assert (table.error_bound < 1e-5).all()


class TestWider:
    def test_what_noise_hides_is_seen_farther_off(self):
        """Six values at a wider step narrow the bounds of a cost with a large offset, and hold."""
        setting, table = screened(lambda x: 1e9 + float(np.sum(np.sin(x))))
        before = table.error_bound.copy()
        BY_LEVEL[WIDER].measure(setting, table, EVERYONE)
        assert (np.abs(table.numeric - np.cos(X)) <= table.error_bound).all()
        assert (table.error_bound <= before).all()
        assert np.median(table.error_bound / before) < 0.5

    def test_not_for_what_looks_wrong(self):
        """A coordinate that looks wrong is measured closer by, and not farther off."""
        setting, table = screened(lambda x: 1e9 + float(np.sum(np.sin(x))))
        table.suspect[:] = True
        before = table.numeric.copy()
        BY_LEVEL[WIDER].measure(setting, table, EVERYONE)
        np.testing.assert_array_equal(table.numeric, before)


class TestLookCloser:
    NARROW = 1e-7

    def bumpy(self, x):
        """A cost with a narrow feature at the third coordinate, which differences step over."""
        return float(np.sum(np.sin(x)) + self.NARROW * np.tanh((x[2] - X[2]) / self.NARROW))

    def test_another_derivative_closer_by(self):
        """What a narrow feature adds is found closer by, takes the place of what was known, and is told."""
        setting, table = screened(self.bumpy)
        table.error_bound[:] = 1e-6
        table.numeric[:] = np.cos(X)  # as if the feature was stepped over
        changed = look_closer(setting, table, np.array([1, 2]), np.array([1.0, 1.0]))
        assert changed.tolist() == [2]
        assert abs(table.numeric[2] - np.cos(X[2]) - 1) <= table.error_bound[2] < 0.5
        assert table.special.tolist() == (EVERYONE == 2).tolist()
        assert table.level[2] == OWN

    def test_nothing_else_closer_by(self):
        """Where the derivative is the same closer by nothing is changed, and none is told."""
        setting, table = screened()
        before = table.numeric.copy(), table.version
        assert look_closer(setting, table, np.array([1, 2]), np.array([1.0, 1.0])).tolist() == []
        np.testing.assert_array_equal(table.numeric, before[0])


class TestSteepest:
    def test_shrinks_at_a_minimum(self):
        """Where no derivative stands out from zero, secants at an eighth of the step make up the scale."""
        setting, table = screened(lambda x: float(np.sum(np.cosh(1e3 * x) - 1)), np.zeros(8), np.zeros_like)
        before = table.steepest
        remeasure_steepest(setting, table)
        assert 0 < table.steepest <= before

    def test_stays_where_derivatives_are_seen(self):
        """Where any derivative stands out from zero nothing is measured again."""
        setting, table = screened()
        before = table.steepest, table.version
        remeasure_steepest(setting, table)
        assert (table.steepest, table.version) == before
