"""An array that the cost kept while it was recorded behaves as a plain one afterwards."""

from __future__ import annotations

import copy
import math
import pickle

import numpy as np
import pytest

from fastgrad.engines.traced.declined import Declined
from fastgrad.engines.traced.recorder import record
from fastgrad.problem.parameters import Parameters

USES = {
    "item": lambda a, b: a[0],
    "comparison": lambda a, b: a == a,
    "mask": lambda a, b: a[a > 1],
    "method": lambda a, b: a.mean(),
    "method that is not recorded": lambda a, b: a.tobytes(),
    "transpose": lambda a, b: a.T,
    "float": lambda a, b: float(b),
    "int": lambda a, b: int(b),
    "complex": lambda a, b: complex(b),
    "bool": lambda a, b: bool(b),
    "number": lambda a, b: b.item(),
    "list": lambda a, b: a.tolist(),
    "math": lambda a, b: math.exp(b),
    "format": lambda a, b: f"{b:.3f}",
    "round": lambda a, b: round(b, 1),
    "sum": lambda a, b: sum(a),
    "array": lambda a, b: np.array([b, b]),
    "product": lambda a, b: np.ones(3) @ a,
    "method of another": lambda a, b: np.ones(3).dot(a),
    "concatenation": lambda a, b: np.concatenate([a, a]),
    "copy": lambda a, b: copy.deepcopy(a),
    "pickle": lambda a, b: pickle.loads(pickle.dumps(a)),
}


def kept_by_a_cost():
    """A vector and a number that a cost kept while it was recorded."""
    kept = []

    def cost(x):
        kept[:] = [x * 2, np.sum(x)]
        return kept[1]

    record(cost, Parameters(np.arange(3.0)), ())
    return kept


@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_a_kept_array_is_used_as_a_plain_one(use):
    """Each use gives what it gives of a plain array, as a plain object."""
    found, expected = use(*kept_by_a_cost()), use(np.array([0.0, 2.0, 4.0]), np.sum(np.arange(3.0)))
    assert type(found) is type(expected)
    np.testing.assert_array_equal(found, expected)


def test_a_kept_array_is_written_to():
    """Assignment and an operator in place change it."""
    a, b = kept_by_a_cost()
    a[0] = 7
    a += 1
    b += 1
    np.testing.assert_array_equal(a, [8, 3, 5])
    assert b == 4


class Keeper:
    """Keeps what it is given in an attribute, a list, a dict, its class and a slot."""

    latest = None

    def __init__(self):
        self.losses, self.by_name = [], {}

    def __call__(self, x):
        """The sum of squares."""
        global remembered
        self.squares = x**2
        loss = np.sum(self.squares)
        self.losses.append(loss)
        self.by_name["view"] = self.squares[1:]
        Keeper.latest = remembered = loss
        return Keeper.latest  # Python remembers where it found it


remembered = None


def test_arrays_that_objects_hold_become_plain():
    """Attributes of objects and classes, items of lists and dicts, and global names hold plain arrays."""
    keeper, x = Keeper(), np.arange(3.0)
    tape = record(keeper, Parameters(x), ())
    for found in (keeper.losses[0], Keeper.latest, remembered):
        assert type(found) is np.float64
        assert found == 5.0
    for found in (keeper.squares, keeper.by_name["view"]):
        assert type(found) is np.ndarray
        found += 1  # and are the user's own
    assert tape.replay([x]) == 5.0
    np.testing.assert_array_equal(keeper.squares, [1, 2, 5])


def test_arrays_that_closures_hold_become_plain():
    """A nonlocal name holds a plain array afterwards, also where the cost could not be recorded."""
    last = None

    def cost(x):
        nonlocal last
        last = x * 2
        return float(last[0]) + 1

    with pytest.raises(Declined):
        record(cost, Parameters(np.arange(3.0)), ())
    assert type(last) is np.ndarray
