"""Half of a pair, and a gradient after its cost."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from fastgrad.errors import InputError
from fastgrad.problem.as_given import as_given
from fastgrad.problem.parameters import Parameters
from fastgrad.problem.stateful import ObjectMethod
from fastgrad.problem.wrapped import CostFirst, HalfOfPair, cost_first


def both(x, scale=1.0):
    """A loss and its gradient."""
    return scale * x**2, 2 * scale * x


class Net:
    """An object whose gradient needs what its cost keeps."""

    def set_params(self, p):
        """Keep the parameters."""
        self.p = p

    def cost(self):
        """Keep what the gradient needs."""
        self.kept = 2 * self.p
        return self.p**2

    def gradient(self):
        """What was kept."""
        return self.kept


class TestHalfOfPair:
    def test_halves(self):
        """Half 0 is the loss and half 1 the gradient, with the data handed on."""
        assert HalfOfPair(both, 0)(3.0, 10.0) == 90.0
        assert HalfOfPair(both, 1)(3.0, 10.0) == 60.0

    def test_name_and_travel(self):
        """It has the function's name and survives pickling."""
        half = pickle.loads(pickle.dumps(HalfOfPair(both, 1)))
        assert (half.__name__, half(3.0)) == ("both", 6.0)

    @pytest.mark.parametrize("value", [3.0, (1.0, 2.0, 3.0), None, ("a", 1.0)], ids=repr)
    def test_no_pair(self, value):
        """A call that returns no pair is refused, with what came."""
        with pytest.raises(
            InputError, match=r"the cost must return a pair \(loss, gradient\) at each call; got"
        ):
            HalfOfPair(lambda x: value, 0)(1.0)


class TestCostFirst:
    def test_order_and_arguments(self):
        """The cost is called first, with the same parameters and data."""
        calls = []
        function = CostFirst(lambda *a: calls.append(("cost", a)), lambda *a: calls.append(("gradient", a)))
        function(1.0, 2.0)
        assert calls == [("cost", (1.0, 2.0)), ("gradient", (1.0, 2.0))]

    def test_both_get_the_same_object(self):
        """Where the parameters are made again for a call, cost and gradient get the same ones."""
        seen = []
        parameters = Parameters([1.0, 2.0])
        function = cost_first(as_given(seen.append, parameters), as_given(seen.append, parameters))
        function(np.array([3.0, 4.0]))
        assert seen[0] is seen[1]
        assert seen[0] == [3.0, 4.0]

    def test_methods_of_one_object(self):
        """The methods of an object that keeps its parameters are called on the same copy of it."""
        cost = ObjectMethod(Net(), "set_params", "cost", is_cost=True)
        gradient = ObjectMethod(Net(), "set_params", "gradient", is_cost=False)
        assert cost_first(cost, gradient)(3.0) == 6.0
