"""Steps: each displacement is one that floating point really makes, of the size of its own block."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from step_cases import everything, plan_of

from fastgrad.differences.plan import make_plan
from fastgrad.differences.stencils import (
    CENTRAL,
    CENTRAL4,
    CENTRAL6,
    COMPLEX,
    COMPLEX_STEP,
    FORWARD,
)
from fastgrad.differences.steps import default_step
from fastgrad.problem.block import typical_size
from fastgrad.problem.parameters import Parameters

REAL = [FORWARD, CENTRAL, CENTRAL4, CENTRAL6]

finite32 = st.floats(-(2.0**100), 2.0**100, width=32)

finite64 = st.floats(-1e200, 1e200)

blocks = st.one_of(
    st.lists(finite32, min_size=1, max_size=4).map(lambda v: np.array(v, dtype=np.float32)),
    st.lists(finite64, min_size=1, max_size=4).map(np.array),
)


class TestDisplacements:
    @given(blocks, st.sampled_from(REAL))
    def test_moved_points_are_representable(self, x, stencil):
        """Moving x by d and rounding to x's dtype moves it by exactly d, for any x of any size."""
        d = plan_of(x, stencil).displacements
        moved = (x.astype(np.float64)[:, None] + d).astype(x.dtype)
        assert (moved.astype(np.float64) - x.astype(np.float64)[:, None] == d).all()

    @given(blocks, st.sampled_from(REAL))
    def test_displacement_is_exact(self, x, stencil):
        """The true distance of the moved point from x is d to half a unit in d's last place."""
        for value, row in zip(x, plan_of(x, stencil).displacements.tolist(), strict=True):
            for d in row:
                moved = x.dtype.type(float(value) + d)
                distance = Fraction(float(moved)) - Fraction(float(value))
                assert abs(distance - Fraction(d)) <= abs(Fraction(d)) / 2**53

    @given(blocks, st.sampled_from(REAL))
    def test_no_two_points_are_one(self, x, stencil):
        """The points of a stencil keep their order on the line and never fall on x or on each other."""
        for row in plan_of(x, stencil).displacements:
            full = np.sort(np.append(row, 0.0))
            assert (np.diff(full) > 0).all()
            assert (np.sign(row) == np.sign(stencil.evaluated)).all()

    @given(blocks, st.sampled_from(REAL))
    def test_displacement_is_close_to_the_nominal_one(self, x, stencil):
        """What x's rounding takes from a displacement is at most 1/8 of the step."""
        plan = plan_of(x, stencil)
        nominal = plan.steps[:, None] * np.array(stencil.evaluated)
        assert (np.abs(plan.displacements - nominal) <= plan.steps[:, None] / 8).all()

    def test_default_step_is_exact_beside_short_numbers(self, rng):
        """Beside numbers of size 1 the default step needs no rounding at all: x + h and x - h are exact."""
        x = np.round(rng.array(50) * 100) / 128
        plan = plan_of(x)
        assert (plan.displacements == plan.steps[:, None] * [-1, 1]).all()

    def test_mixed_dtypes(self):
        """Each block's points are representable in its own dtype."""
        x = {"a": np.full(1, 0.1, dtype=np.float32), "b": np.full(1, 0.1)}
        d = plan_of(x, step=1e-3).displacements
        moved = (np.float64(x["a"][0]) + d[0]).astype(np.float32)
        assert (moved.astype(np.float64) - np.float64(x["a"][0]) == d[0]).all()
        assert d[0].tolist() != d[1].tolist()

    def test_complex(self):
        """The complex step leaves the real line alone: 1e-30 along the imaginary axis, whatever x is."""
        plan = plan_of({"a": np.array([1e-9, 1e9]), "b": np.zeros(1, np.float32)}, COMPLEX)
        assert plan.displacements.tolist() == [[1j * COMPLEX_STEP]] * 3
        assert plan.steps.tolist() == [COMPLEX_STEP] * 3


class TestDefaultStep:
    # values, stencil, exponent of the step: eps^(1/(p+1)) * max(rms, 1e-3), to the nearest power of two
    TABLE = (
        (np.ones(3), CENTRAL, -17),
        (np.ones(3), FORWARD, -26),
        (np.ones(3), CENTRAL4, -10),
        (np.ones(3), CENTRAL6, -7),
        (np.ones(3, dtype=np.float32), CENTRAL, -8),
        (np.ones(3, dtype=np.float32), FORWARD, -12),
        (np.full(3, 100.0), CENTRAL, -11),
        (np.full(3, 2.0**10), CENTRAL, -7),
        (np.zeros(3), CENTRAL, -17),  # a block of zeros counts as one of size 1
        (np.full(3, 1e-3), CENTRAL, -27),
        (np.full(3, 1e-9), CENTRAL, -27),  # a tiny block counts as one of size 1e-3
        (np.array([0.0, 0.0, 0.0, 4.0]), CENTRAL, -16),  # the rms, not the mean nor the largest
    )

    @pytest.mark.parametrize(("values", "stencil", "exponent"), TABLE)
    def test_size(self, values, stencil, exponent):
        """The default step is eps^(1/(p+1)) times the block's typical size, to a power of two."""
        assert plan_of(values, stencil).steps.tolist() == [2.0**exponent] * len(values)

    @given(blocks, st.sampled_from(REAL))
    def test_power_of_two(self, x, stencil):
        """Every step that fastgrad chooses is a power of two."""
        mantissas, _ = np.frexp(plan_of(x, stencil).steps)
        assert set(mantissas.tolist()) == {0.5}

    def test_each_block_has_its_own(self):
        """A block's step follows the size of that block alone, wherever it stands."""
        sizes = {"large": 100.0, "small": 0.01, "zero": 0.0}
        together = plan_of({name: np.full(2, v) for name, v in sizes.items()})
        alone = [plan_of(np.full(2, v)).steps.tolist() for v in sizes.values()]
        assert together.steps.reshape(3, 2).tolist() == alone
        assert len(set(together.steps.tolist())) == 3

    @given(st.lists(finite64, min_size=2, max_size=9), st.data())
    def test_does_not_depend_on_the_subset(self, values, data):
        """A coordinate is moved by the same amount alone and among all others."""
        parameters = Parameters({"a": np.array(values), "b": np.ones(2)})
        chosen = np.array(sorted(data.draw(st.sets(st.integers(0, parameters.size - 1), min_size=1))))
        whole = make_plan(parameters, everything(parameters), CENTRAL)
        part = make_plan(parameters, chosen, CENTRAL)
        assert part.steps.tolist() == whole.steps[chosen].tolist()
        assert part.displacements.tolist() == whole.displacements[chosen].tolist()

    def test_raised_where_numbers_are_too_far_apart(self):
        """A step under 8 ulp of its own coordinate is raised to 16 ulp there, and nowhere else."""
        x = np.zeros(400_000, dtype=np.float32)
        x[7] = 1.0
        parameters = Parameters(x)
        usual = default_step(parameters.leaves[0], FORWARD)
        plan = make_plan(parameters, np.array([6, 7, 8]), FORWARD)
        assert np.spacing(np.float32(1.0)) > usual / 8
        assert plan.steps.tolist() == [usual, 16 * float(np.spacing(np.float32(1.0))), usual]
        assert plan.displacements[:, 0].tolist() == plan.steps.tolist()

    def test_not_raised_at_8_ulp(self):
        """A step of 8 ulp of its coordinate or more is left as it is."""
        x = np.zeros(2**17, dtype=np.float32)
        x[0] = 1.0
        plan = make_plan(Parameters(x), np.array([0]), FORWARD)
        assert plan.steps.tolist() == [default_step(x, FORWARD)] == [8 * float(np.spacing(x[0]))]

    def test_typical_size(self):
        """The typical size is the rms, at least 1e-3, and 1 for a block of zeros or of nothing."""
        blocks = [np.array([3.0, 4.0]), np.array([1e-9]), np.zeros(2), np.empty(0)]
        assert [typical_size(b) for b in blocks] == [pytest.approx(12.5**0.5), 1e-3, 1.0, 1.0]
