"""A number that is returned at once may be handed out, however often the cost was called before."""

from __future__ import annotations

import numpy as np
import pytest

from fastgrad.engines.traced.declined import Declined
from fastgrad.engines.traced.recorder import record
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
