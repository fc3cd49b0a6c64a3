"""What is known of coordinates before they are measured, each by its own scale."""

from __future__ import annotations

import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from running import X, running

from fastgrad.coordinates.own_calibration import FRUGAL, UNMEASURED
from fastgrad.differences.rounding import ROUNDING_SD
from fastgrad.execution.budget import Budget
from fastgrad.execution.run import Run


def flat(p):
    """The numbers of a vector, or of a dict of vectors, in order."""
    return np.concatenate([np.ravel(v) for v in p.values()]) if isinstance(p, dict) else np.ravel(p)


def waves(p):
    """A smooth cost."""
    return float(np.sum(np.sin(flat(p))))


def calibrated(cost=waves, params=X, claim=None, **options):
    """The calibration of all coordinates of a cost."""
    count = len(flat(params))
    claim = np.cos(flat(params)) if claim is None else claim
    if isinstance(params, dict):
        ends = np.cumsum([len(v) for v in params.values()])
        claim = dict(zip(params, np.split(claim, ends[:-1]), strict=True))
    coordinates = running(cost, claim, params, **options)
    coordinates.calibrate(np.arange(count))
    return coordinates.calibration


class TestNoise:
    @pytest.mark.parametrize("scatter", [1e-9, 1e-6, 1e-3])
    def test_is_measured(self, scatter):
        """Scatter that a cost has between neighbouring points is found to within a factor of four."""

        def cost(x):
            return float(np.sum(np.sin(x))) + scatter * (zlib.crc32(x.tobytes()) / 2**32 - 0.5)

        found = calibrated(cost)
        assert scatter * 0.289 / 2 < found.largest_noise < 8 * scatter * 0.289
        assert found.noise == {"params": found.largest_noise}

    def test_of_an_ordinary_cost(self):
        """Rounding of an ordinary cost is between that of its last operation and 64 times as much."""
        floor = ROUNDING_SD * np.spacing(abs(waves(X)))
        assert floor <= calibrated().largest_noise <= 64 * floor

    @pytest.mark.parametrize("offset", [1.0, 1e4, 1e8])
    def test_an_offset_adds_its_own_rounding(self, offset):
        """A cost with an offset has the rounding of that offset for its noise, and no more."""
        found = calibrated(lambda x: waves(x) + offset).largest_noise
        floor = ROUNDING_SD * np.spacing(offset)
        assert floor <= found <= 64 * floor

    def test_by_the_dtype_that_is_moved(self):
        """A cost computed in the dtype of its parameters has the noise of each dtype."""

        def cost(p):
            return float(np.sum(np.sin(p["a"]))) + float(np.sum(np.sin(p["b"])))

        params = {"a": X, "b": X.astype(np.float32)}
        found = calibrated(cost, params)
        assert found.noise["b"] > 1e5 * found.noise["a"]
        assert found.noise_parts == {"a": (found.noise["a"], 0.0), "b": (found.noise["b"], 0.0)}
        scales = found.scales(np.arange(16))
        assert (scales.constant == np.repeat([found.noise["a"], found.noise["b"]], 8)).all()
        assert (scales.proportional == 0).all()

    def test_of_a_cost_that_stands_still(self):
        """A cost that no parameter moves has the noise of rounding its value."""
        found = calibrated(lambda x: 4.5, claim=np.zeros(8))
        assert found.largest_noise == ROUNDING_SD * np.spacing(4.5)
        assert found.effect == 0.0

    def test_coordinates_that_move_the_cost_are_looked_at(self):
        """Where one coordinate of two dozen moves the cost, the noise is measured along that one."""

        def cost(x):
            return 1.0 + 1e-3 * (zlib.crc32(x[13:14].tobytes()) / 2**32 - 0.5) + float(x[13])

        claim = (np.arange(24) == 13) * 1.0
        assert calibrated(cost, np.ones(24), claim).largest_noise > 1e-4

    def test_without_budget_it_is_guessed(self):
        """Where a budget has no room to measure the noise it is guessed, and that is said."""
        found = calibrated(run=Run(budget=Budget(evaluations=20)))
        assert found.notes == (FRUGAL,)
        assert found.largest_noise == pytest.approx(UNMEASURED * ROUNDING_SD * np.spacing(abs(waves(X))))

    def test_float32_inside_is_recognised(self):
        """A cost that computes in float32 inside is said to."""
        found = calibrated(lambda x: float(np.sum(np.sin(x.astype(np.float32)))))
        assert found.single
        assert "float32" in found.notes[0]


class TestScales:
    def test_each_by_its_own_size(self):
        """Parameters that are 1e16 times as large have steps 1e16 times as large beside small ones."""
        x = np.array([1e-8, 1.0, 1e8])
        step = (
            calibrated(lambda p: float(np.sum(np.sin(p / x))), x, np.cos(1.0) / x).scales(np.arange(3)).step
        )
        assert step / x == pytest.approx(np.full(3, step[1]), rel=1)

    @given(st.lists(st.integers(0, 7), min_size=1, max_size=4, unique=True), st.integers(0, 9))
    @settings(max_examples=20)
    def test_do_not_depend_on_blocks(self, cuts, seed):
        """The same numbers in one block or in several have the same scales, zeros among them too."""
        rng = np.random.default_rng(seed)
        x = 10.0 ** rng.uniform(-3, 3, 8) * (rng.uniform(size=8) > 0.25)
        parts = {f"b{k}": part for k, part in enumerate(np.split(x, np.sort(cuts))) if len(part)}
        one, several = (calibrated(params=p, claim=np.cos(x)).scales(np.arange(8)) for p in (x, parts))
        for name in ("own", "size", "step", "constant"):
            np.testing.assert_array_equal(getattr(several, name), getattr(one, name), err_msg=name)

    @given(st.integers(-30, 30))
    @settings(max_examples=20)
    def test_units(self, exponent):
        """A cost in other units of its parameters has scales in these units."""
        unit = 2.0**exponent
        one = calibrated(claim=np.cos(X)).scales(np.arange(8))
        other = calibrated(lambda p: waves(p / unit), unit * X, np.cos(X) / unit).scales(np.arange(8))
        np.testing.assert_array_equal(other.own, unit * one.own)
        np.testing.assert_array_equal(other.step, unit * one.step)

    def test_a_claim_says_what_slope_to_expect(self):
        """Steps are narrower where a steep slope is claimed, for noise asks for no more."""
        claim = np.cos(X)
        claim[3] = 1e6
        assert (
            calibrated(claim=claim).scales(np.arange(8)).step[3] < calibrated().scales(np.arange(8)).step[3]
        )

    def test_without_a_claim_the_cost_says_it(self):
        """Where nothing is claimed the typical effect is that of a few coordinates moved by their size."""
        coordinates = running()
        coordinates.claim = None
        coordinates.calibrate(np.arange(8))
        assert coordinates.calibration.effect == pytest.approx(np.median(np.abs(X * np.cos(X))), rel=0.5)

    def test_groups_are_of_alike_coordinates(self):
        """Coordinates alike in size and slope are of one group, whichever block they are of."""
        params = {"a": np.array([0.5, 500.0]), "b": np.array([0.5, 500.0])}
        group = calibrated(params=params, claim=np.ones(4)).scales(np.arange(4)).group
        assert group[0] == group[2] != group[1] == group[3]

    def test_a_stretched_group_has_other_steps(self):
        """What two scales taught of a group goes into its steps, and into no others."""
        found = calibrated()
        before = found.scales(np.arange(8))
        found.hidden.stretch(int(before.group[0]), 0.25)
        mine = before.group == before.group[0]
        after = found.scales(np.arange(8)).step
        np.testing.assert_array_equal(after, np.where(mine, before.step / 4, before.step))

    def test_same_seed_same_calibration(self):
        """The coordinates that are looked at are drawn by the seed, so that a check can be had again."""
        one, two = (calibrated(params=np.tile(X, 20), claim=np.cos(np.tile(X, 20))) for _ in range(2))
        assert (one.sigma, one.effect) == (two.sigma, two.effect)
