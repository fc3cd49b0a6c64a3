"""An array that the cost kept while it was recorded behaves as a plain one afterwards."""

from __future__ import annotations

import copy
import math
import pickle

import numpy as np
import pytest

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
    "out": lambda a, b: np.add(a, 1, out=a),
    "in place": lambda a, b: a.__iadd__(1),
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
