"""The objective of a call: its value, its gradient, its bounds."""

from __future__ import annotations

import numpy as np
import pytest

from fastgrad.errors import InputError
from fastgrad.forms.objective import Objective
from fastgrad.forms.several import Checks

X0 = np.array([1.0, 2.0])


def cost(x):
    """A sum of squares."""
    return float(x @ x)


def jac(x):
    """Its gradient."""
    return 2 * x


class TestObjective:
    def test_as_it_is(self):
        """A plain cost without bounds is not wrapped: engines see what the user wrote."""
        assert Objective.of(cost, X0, (), jac, None).cost is cost

    @pytest.mark.parametrize("none", [None, False, "2-point", "3-point", "cs"])
    def test_differences(self, none):
        """Where scipy takes differences there is no gradient to check, which is said."""
        objective, checks = Objective.of(cost, X0, (), none, None), Checks()
        objective.add_gradient(checks, "x0", X0)
        assert objective.gradient is objective.gradient_within is None
        assert (len(checks.to_make), len(checks.notes)) == (0, 1)

    def test_halves_of_a_pair(self):
        """With jac=True the cost is the first half, the gradient the second; both keep to the bounds."""
        objective = Objective.of(lambda x: (cost(x), jac(x)), X0, (), True, [(0, 3)] * 2)
        assert (objective.cost(X0), objective.gradient(X0).tolist()) == (5.0, [2.0, 4.0])
        assert np.isnan(objective.cost(-X0))
        assert np.isnan(objective.gradient_within(-X0)).all()

    def test_x0_is_not_the_functions_to_change(self):
        """fun gets a copy of x0 when it is first called."""

        def writes(x):
            x[:] = 0
            return 1.0

        x0 = X0.copy()
        Objective.of(writes, x0, (), jac, None)
        assert np.array_equal(x0, X0)

    def test_not_callable(self):
        """A value in place of fun is refused."""
        with pytest.raises(InputError, match=r"fun must be callable as fun\(x, \*args\); got 3.0"):
            Objective.of(3.0, X0, (), jac, None)
