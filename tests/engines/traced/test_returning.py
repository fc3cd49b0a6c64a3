"""A number that is returned at once may be handed out, however often the cost was called before."""

from __future__ import annotations

import numpy as np
import pytest

from fastgrad.engines.traced.declined import Declined
from fastgrad.engines.traced.recorder import record
from fastgrad.engines.traced.returning import returns_at_once
from fastgrad.problem.parameters import Parameters

OFTEN = 100
"""Calls after which Python has specialised the instructions of a function."""


def by_float(x):
    """float() as the last step."""
    return float(np.sum(x**2))


def by_item(x):
    """.item() as the last step."""
    return np.sum(x**2).item()


def through_another(x):
    """A call of another that ends so."""
    return by_float(x)


def used_after(x):
    """float(), and something done with it."""
    y = float(np.sum(x**2))
    return y + 1


@pytest.mark.parametrize("cost", [by_float, by_item, through_another])
def test_a_number_that_is_returned_is_recorded(cost):
    """return float(cost) is recorded, the first time and after many calls."""
    x = np.arange(3.0)
    assert record(cost, Parameters(x), ()).replay([x]) == 5.0
    for _ in range(OFTEN):
        cost(x)
    assert record(cost, Parameters(x), ()).replay([x + 1]) == 14.0


def test_a_number_that_is_used_is_declined():
    """What is done with a plain number would not be seen: declined, the first time and after many calls."""
    x = np.arange(3.0)
    for _ in range(OFTEN):
        with pytest.raises(Declined, match=r"test_returning.py:\d+: float\(\) takes a number out"):
            record(used_after, Parameters(x), ())
        used_after(x)


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


def in_between(w):
    """A cost that keeps the number for a moment."""
    value = float(np.sum(w))
    if value > 0:
        return value
    return -value


@pytest.mark.parametrize("cost", [in_between, Logger().cost, Logger().other])
def test_used_in_between(cost):
    """A number that anything else is done with is declined, whatever the user's functions are called."""
    with pytest.raises(Declined, match="takes a number out"):
        record(cost, W, ())


def test_outside_of_a_recording():
    """Outside of a recording nothing is returned to it."""
    assert not returns_at_once()
