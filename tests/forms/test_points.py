"""Random points: feasible, off the bounds, near x0, the same for the same seed."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from fastgrad.errors import InputError
from fastgrad.forms.bounds import Box
from fastgrad.forms.points import Linear, has_value, random_points

X0 = np.array([0.0, 1.0, -2.0, 1e6])


def anywhere(x):
    """Every point is good enough."""
    return True


def box_of(bounds):
    """A box of four coordinates."""
    return Box.of_minimize(bounds, 4)


class TestRandomPoints:
    def test_seeded(self):
        """The same seed gives the same points, another one others."""
        one, same, other = (random_points(X0, box_of(None), (), anywhere, 3, s) for s in (0, 0, 1))
        assert np.array_equal(one, same)
        assert not np.isin(one, other).any()

    def test_each_entry_moves_by_its_own_size(self):
        """Each entry moves by 1/8 to 1/4 of itself; a zero by as much of 1 at most."""
        moved = np.abs(np.array(random_points(X0, box_of(None), (), anywhere, 20, 0)) - X0) / [1, 1, 2, 1e6]
        assert (moved > 0.1249).all()
        assert (moved < 0.2501).all()

    @pytest.mark.parametrize("x0", [[0, 0, 0, 0], [1, 1, 1, 1], [0, 1, 0.5, 0.25]])
    def test_off_the_bounds(self, x0):
        """From a corner, too, points lie inside, and not on a bound."""
        found = np.array(random_points(np.array(x0, float), box_of([(0, 1)] * 4), (), anywhere, 20, 0))
        assert (found > 0.01).all()
        assert (found < 0.99).all()

    def test_fixed_coordinates_stay(self):
        """A coordinate with equal bounds is not moved."""
        found = random_points(X0, box_of([(0, 1), (1, 1), (-3, 0), (0, 1e7)]), (), anywhere, 5, 0)
        assert len(found) == 5
        assert all(x[1] == 1.0 for x in found)

    @pytest.mark.parametrize("kind", [np.array, sparse.csr_array])
    def test_linear_constraints(self, kind):
        """Linear equalities are kept by projection, inequalities by a shorter step."""
        A = kind([[1.0, 1, 1, 0], [1, -1, 0, 0]])
        linear = Linear(A, np.array([-1.0, -1.01]), np.array([-1.0, -0.99]))
        found = random_points(X0, box_of(None), [linear], anywhere, 5, 0)
        assert len(found) == 5
        assert all(linear.holds(x) for x in found)
        assert all(abs(x[:3].sum() + 1) < 1e-9 for x in found)

    def test_what_x0_does_not_satisfy(self):
        """A constraint that x0 breaks does not bind the points."""
        linear = Linear(np.ones((1, 4)), np.array([-5.0]), np.array([-5.0]))
        assert len(random_points(X0, box_of(None), [linear], anywhere, 2, 0)) == 2

    def test_finite_values_only(self):
        """A point moves towards x0 until the function has a value; where it never has, there is none."""
        near = random_points(X0, box_of(None), (), lambda x: abs(x[1] - 1) < 0.01, 4, 0)
        assert len(near) == 4
        assert all(abs(x[1] - 1) < 0.01 for x in near)
        assert random_points(X0, box_of(None), (), lambda x: False, 4, 0) == []

    def test_dtype(self):
        """Points have the dtype of x0."""
        [x] = random_points(X0.astype(np.float32), box_of(None), (), anywhere, 1, 0)
        assert x.dtype == np.float32

    @pytest.mark.parametrize("count", [-1, 1.5, "2"])
    def test_count(self, count):
        """A number of points that is none is refused."""
        with pytest.raises(InputError, match="points must be an integer >= 0"):
            random_points(X0, box_of(None), (), anywhere, count, 0)


class TestHasValue:
    def test_domain_errors(self):
        """What a function raises outside its domain says no; anything else is not for us to hide."""

        def raises(error):
            raise error

        assert not has_value(lambda x: raises(ValueError("math domain error")), X0)
        for error in (InputError("a sentence", code="FG101"), KeyError("a")):
            with pytest.raises(type(error)):
                has_value(lambda x, error=error: raises(error), X0)

    def test_gets_a_copy(self):
        """A function that writes into its argument changes nothing."""
        x = X0.copy()
        assert has_value(lambda x: x.sort() is None, x)
        assert np.array_equal(x, X0)
