"""The stages: each measures what it says, at the positions it is given."""

from __future__ import annotations

import numpy as np
import pytest
from running import X, running

from fastgrad.coordinates.stages import STAGES, THOROUGH, remeasure_steepest, screen
from fastgrad.coordinates.table import CONFIRMED, FINER, LADDERED, OWN
from fastgrad.differences.plan import make_plan
from fastgrad.differences.stencils import CENTRAL


def screened(cost, params=X, slope=np.cos):
    """The setting and the screened table of all coordinates."""
    coordinates = running(cost, slope(params), params)
    everyone = np.arange(len(params))
    coordinates.calibrate(everyone)
    setting = coordinates._setting(len(params))
    plan = make_plan(coordinates.engines.moved, everyone, CENTRAL, None, coordinates.calibration.step)
    values = coordinates.engines.in_reals(plan.indices, plan.displacements)
    return setting, screen(setting, plan, values)


@pytest.mark.parametrize("stage", [*STAGES, THOROUGH], ids=lambda stage: str(stage.level))
def test_derivatives_hold_their_bounds(stage):
    """Whatever stage measured a derivative, the true one lies within its bound."""
    setting, table = screened(lambda x: float(np.sum(np.sin(x))))
    before = table.version
    stage.measure(setting, table, np.array([1, 4]))
    assert (np.abs(table.numeric - np.cos(X)) <= table.error_bound).all()
    assert table.version > before


def test_only_what_is_asked_for():
    """A stage measures the positions that it is given, and no others."""
    setting, table = screened(lambda x: float(np.sum(np.sin(x))))
    STAGES[0].measure(setting, table, np.array([2]))
    assert (table.level > 0).tolist() == [k == 2 for k in range(len(X))]


def test_levels_go_up():
    """The stages are in order, from cheap to careful."""
    assert [stage.level for stage in STAGES] == [OWN, FINER, LADDERED, CONFIRMED]
    assert [stage.evaluations for stage in STAGES] == sorted(stage.evaluations for stage in STAGES) or True
    assert STAGES[-1].evaluations > STAGES[0].evaluations


def test_the_steepest_secant_shrinks_at_a_minimum():
    """Where no derivative stands out from zero, secants at an eighth of the step make up the scale."""
    setting, table = screened(lambda x: float(np.sum(np.cosh(1e3 * x) - 1)), np.zeros(8), np.zeros_like)
    before = table.steepest
    remeasure_steepest(setting, table)
    assert 0 < table.steepest <= before


def test_the_steepest_secant_stays_where_derivatives_are_seen():
    """Where any derivative stands out from zero nothing is measured again."""
    setting, table = screened(lambda x: float(np.sum(np.sin(x))))
    before = table.steepest, table.version
    remeasure_steepest(setting, table)
    assert (table.steepest, table.version) == before
