"""The plan: steps that the user fixed, and what a plan holds."""

from __future__ import annotations

import re

import numpy as np
import pytest
from step_cases import plan_of

from fastgrad.differences.plan import Plan, make_plan
from fastgrad.differences.stencils import (
    CENTRAL,
    COMPLEX,
    STENCILS,
)
from fastgrad.errors import InputError
from fastgrad.problem.parameters import Parameters


class TestGivenStep:
    def test_one_for_all(self):
        """One number is the step of every block."""
        assert plan_of({"a": np.ones(1), "b": np.full(1, 9.0)}, step=2.0**-5).steps.tolist() == [2.0**-5] * 2

    def test_by_block(self):
        """Steps by name hold for the named blocks; the others keep their default."""
        structure = {"a": np.ones(1), "b": [np.full(1, 9.0), np.ones(1)]}
        plan = plan_of(structure, step={"b[0]": 0.125})
        assert plan.steps.tolist() == [2.0**-17, 0.125, 2.0**-17]

    @pytest.mark.parametrize("step", [1, np.float32(0.5), np.float64(0.5), np.int64(1)])
    def test_any_real_number(self, step):
        """A step may be an int, a float, or a NumPy scalar of either."""
        assert plan_of(np.ones(1), step=step).steps.tolist() == [float(step)]

    def test_complex_takes_a_given_step(self):
        """A given step is taken along the imaginary axis under the complex step."""
        assert plan_of(np.ones(1), COMPLEX, 1e-20).displacements.tolist() == [[1e-20j]]

    # parameters, step, the whole message
    MESSAGES = (
        (np.ones(1), 0.0, "the step of params must be a positive finite number; got 0.0"),
        (np.ones(1), -1e-5, "the step of params must be a positive finite number; got -1e-05"),
        (np.ones(1), float("nan"), "the step of params must be a positive finite number; got nan"),
        (np.ones(1), float("inf"), "the step of params must be a positive finite number; got inf"),
        (np.ones(1), True, "the step of params must be a positive finite number; got True"),
        (np.ones(1), "1e-5", "the step of params must be a positive finite number; got '1e-5'"),
        (np.ones(1), 1e-5j, "the step of params must be a positive finite number; got 1e-05j"),
        (
            {"W": np.ones(1), "b": np.ones(1)},
            {"W": 1e-5, "b": None},
            "the step of b must be a positive finite number; got None",
        ),
        (
            {"W": np.ones(1), "b": np.ones(1)},
            {"W": 1e-5, "c": 1e-5},
            "step= names unknown blocks c: the blocks are W, b",
        ),
        (
            np.array([0.0, 1.0]),
            1e-20,
            "the step 1e-20 vanishes against params[1] = 1: float64 numbers there are 2.2e-16 apart; "
            "leave step=None, or give a larger one",
        ),
        (
            np.ones(1),
            7e-17,  # half a unit above 1, but not below it
            "the step 7e-17 vanishes against params[0] = 1: float64 numbers there are 2.2e-16 apart; "
            "leave step=None, or give a larger one",
        ),
        (
            {"a": np.ones(1), "b": np.array([[0.0, 1e9]])},
            1e-8,
            "the step 1e-08 vanishes against b[0, 1] = 1e+09: float64 numbers there are 1.2e-07 apart; "
            "leave step=None, or give a larger one",
        ),
        (
            {"a": np.full(2, 1.5, dtype=np.float32)},
            {"a": 1e-8},
            "the step 1e-08 vanishes against a[0] = 1.5: float32 numbers there are 1.2e-07 apart; "
            "leave step=None, or give a larger one",
        ),
    )

    @pytest.mark.parametrize(("structure", "step", "message"), MESSAGES)
    def test_message(self, structure, step, message):
        """A step that cannot be taken is refused: which block or coordinate, what came, what to try."""
        with pytest.raises(InputError, match=rf"^{re.escape(message)} \[FG41[45]\]$"):
            plan_of(structure, step=step)

    def test_only_checked_coordinates_can_refuse(self):
        """A step may vanish against a coordinate that is not checked."""
        plan = make_plan(Parameters(np.array([0.0, 1.0])), np.array([0]), CENTRAL, 1e-20)
        assert plan.displacements.tolist() == [[-1e-20, 1e-20]]


class TestPlan:
    @pytest.mark.parametrize(
        ("name", "each"), [("forward", 1), ("central", 2), ("central6", 6), ("complex", 1)]
    )
    def test_evaluations(self, name, each):
        """A plan counts its evaluations: those of the stencil for each coordinate."""
        plan = plan_of(np.ones((2, 5)), STENCILS[name])
        assert isinstance(plan, Plan)
        assert plan.evaluations == 10 * each

    def test_users_array_is_only_read(self):
        """Making a plan needs no write to the parameters."""
        x = np.arange(3.0)
        x.setflags(write=False)
        assert plan_of(x).evaluations == 6
