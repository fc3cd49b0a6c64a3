"""A second scale: what a step hides is seen on the coordinates themselves, or on some of those alike."""

from __future__ import annotations

import numpy as np
import pytest
from running import X, running, sines

from fastgrad.coordinates.stages import screen
from fastgrad.coordinates.table import OWN
from fastgrad.coordinates.two_scales import CHECKED_FOR_ONE, OF_A_GROUP, learn_from_some, measure_each
from fastgrad.differences.plan import make_plan
from fastgrad.differences.stencils import CENTRAL, CENTRAL4, FORWARD

EVERYONE = np.arange(len(X))


def calibrated(cost=sines, claim=None, params=X):
    """Coordinates that were calibrated, and their setting."""
    coordinates = running(cost, claim, params)
    coordinates.calibrate(np.arange(len(params)))
    return coordinates, coordinates._setting(len(params))


def measured(cost=sines, claim=None, stencil=CENTRAL):
    """The table after each coordinate was measured at two scales."""
    coordinates, setting = calibrated(cost, claim)
    steps = coordinates.calibration.scales(EVERYONE).step if stencil is CENTRAL else None
    plan = make_plan(coordinates.engines.moved, EVERYONE, stencil, None, steps)
    values = coordinates.engines.in_reals(plan.indices, plan.displacements)
    table = screen(setting, plan, values)
    measure_each(setting, plan, values, table)
    return table


class TestEach:
    @pytest.mark.parametrize("stencil", [CENTRAL, FORWARD, CENTRAL4], ids=lambda stencil: stencil.name)
    def test_bounds_hold(self, stencil):
        """Each coordinate has an estimate that holds its bound, by any stencil."""
        table = measured(stencil=stencil)
        assert (np.abs(table.numeric - np.cos(X)) <= table.error_bound).all()
        assert (table.error_bound < 1e-4).all()
        assert (table.level == OWN).all()

    def test_each_shows_its_own_truncation(self):
        """Of forward differences a coordinate that bends far more has a wider bound, and no other has."""
        at = X[3]
        table = measured(lambda x: float(np.sum(np.sin(x)) + 1e4 * (x[3] - at) ** 2), stencil=FORWARD)
        assert (np.abs(table.numeric - np.cos(X)) <= table.error_bound).all()
        assert table.error_bound[3] > 100 * np.delete(table.error_bound, 3).max()

    def test_a_step_that_is_too_wide_for_one_is_changed_for_it(self):
        """A coordinate whose cost waves a thousand times within its size is measured closer by."""
        waves = np.where(EVERYONE == 3, 1e3, 1.0)
        table = measured(lambda x: float(np.sum(np.sin(waves * x))), waves * np.cos(waves * X))
        assert abs(table.numeric[3] - 1e3 * np.cos(1e3 * X[3])) <= table.error_bound[3] < 1e-2

    def test_kinks_are_put_down(self):
        """A coordinate that shows a kink is special: no sample of others stands for it."""
        at = X[5]
        table = measured(lambda x: float(np.sum(np.sin(x)) + abs(x[5] - at)))
        assert table.special.tolist() == (EVERYONE == 5).tolist()


class TestSome:
    PARAMS = np.concatenate([np.linspace(0.6, 0.9, 100), np.linspace(600, 900, 100)])

    def learnt(self, cost, claim, stencil=CENTRAL, given=False, seed=0):
        """The coordinates after some of each group were measured at two scales."""
        coordinates, setting = calibrated(cost, claim, self.PARAMS)
        before = coordinates.run.evaluations
        learn_from_some(setting, np.arange(200), stencil, given, seed)
        return coordinates, coordinates.run.evaluations - before

    def scaled(self, x):
        """A cost that has the shape of each parameter's size."""
        return float(np.sum(np.sin(x / self.PARAMS)))

    SLOPES = np.cos(1.0) / PARAMS

    def test_a_few_of_each_group(self):
        """One coordinate of each group is measured for sixteen, two at least and eight at most."""
        coordinates, evaluations = self.learnt(self.scaled, self.SLOPES)
        groups = coordinates.calibration.scales(np.arange(200)).group
        _, counts = np.unique(groups, return_counts=True)
        few = np.minimum(counts, np.clip(counts // CHECKED_FOR_ONE, 2, OF_A_GROUP))
        assert evaluations == 4 * few.sum()
        assert np.isfinite(coordinates.calibration.hidden.truncation_of(groups)).all()

    def test_only_what_is_not_known(self):
        """A group that was learnt of is not measured again."""
        coordinates, _ = self.learnt(self.scaled, self.SLOPES)
        before = coordinates.run.evaluations
        learn_from_some(coordinates._setting(200), np.arange(200), CENTRAL, False, 1)
        assert coordinates.run.evaluations == before

    def test_truncation_covers_what_steps_leave(self):
        """What a step is taken to hide is at least the true truncation of every coordinate of the group."""
        coordinates, _ = self.learnt(self.scaled, self.SLOPES)
        scales = coordinates.calibration.scales(np.arange(200))
        true = np.abs(self.SLOPES) * (scales.step / self.PARAMS) ** 2 / 6
        assert (coordinates.calibration.hidden.truncation_of(scales.group) / scales.step >= true).all()

    def test_steps_of_a_group_shrink_that_do_not_fit(self):
        """Where the cost waves within the steps of a group these shrink, and no others do."""
        fast = np.where(np.arange(200) < 100, 1.0, 1e3)
        cost = lambda x: float(np.sum(np.sin(fast * x / self.PARAMS) / fast))  # noqa: E731
        coordinates, _ = self.learnt(cost, np.cos(fast) / self.PARAMS)
        stretched = coordinates.calibration.hidden.stretched_by(
            coordinates.calibration.scales(np.arange(200)).group
        )
        assert (stretched[:100] == 1).all()
        assert (stretched[100:] < 0.1).all()

    def test_given_steps_stay(self):
        """Steps that were given are not changed, whatever they hide."""
        fast = 1e5
        cost = lambda x: float(np.sum(np.sin(fast * x / self.PARAMS) / fast))  # noqa: E731
        coordinates, _ = self.learnt(cost, np.cos(fast) / self.PARAMS, given=True)
        assert coordinates.calibration.hidden.stretched == {}

    def test_the_choice_is_the_seeds(self):
        """The same seed chooses the same coordinates, so that a check can be had again."""
        found = [self.learnt(self.scaled, self.SLOPES, seed=s)[0].calibration.hidden for s in (1, 1, 2)]
        assert found[0].truncation == found[1].truncation
        assert found[0].truncation != found[2].truncation
