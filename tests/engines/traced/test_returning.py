"""Numbers that are returned at once."""

import numpy as np
import pytest

from fastgrad.engines.traced.declined import Declined
from fastgrad.engines.traced.recorder import record
from fastgrad.engines.traced.returning import returns_at_once
from fastgrad.problem.parameters import Parameters

W = Parameters(np.array([1.0, 2.0]))


class Logger:
    """A user's object with a method of the name that a function of the package has."""

    def _call_cost(self, x):
        return float(x)

    record = _call_cost

    def cost(self, w):
        """A cost that goes on with what it was given."""
        return self.record(np.sum(w)) * 2

    def other(self, w):
        """The same by the other name."""
        return self._call_cost(np.sum(w)) * 2


def through_functions(w):
    """A cost whose helpers return at once."""
    return _helper(w)


def _helper(w):
    value = np.sum(w * w)
    return float(value)


def in_between(w):
    """A cost that keeps the number for a moment."""
    value = float(np.sum(w))
    return value


def test_returned_by_all_functions():
    """A number that all functions return at once is the cost."""
    assert record(through_functions, W, ()).replay([np.array([3.0, 4.0])]) == 25.0


@pytest.mark.parametrize("cost", [in_between, Logger().cost, Logger().other])
def test_used_in_between(cost):
    """A number that anything else is done with is declined, whatever the user's functions are called."""
    with pytest.raises(Declined, match="takes a number out"):
        record(cost, W, ())


def test_outside_of_a_recording():
    """Outside of a recording nothing is returned to it."""
    assert not returns_at_once()
