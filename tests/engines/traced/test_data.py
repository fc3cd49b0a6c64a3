"""The methods of plain data see recorded arrays: X.dot(w)."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from fastgrad.engines.traced.data import Data
from fastgrad.engines.traced.declined import Declined
from fastgrad.engines.traced.recorder import record
from fastgrad.problem.parameters import Parameters

X = np.arange(12.0).reshape(4, 3)
LARGE = np.ones((5000, 3))  # constants of this size are not copied
W = np.array([0.5, -1.0, 2.0])


def of_arguments(w, X):
    """Data as an argument."""
    return np.sum(X.dot(w) ** 2)


def of_a_dict(w, data):
    """Data in a dict."""
    return np.sum(data["X"].dot(w) ** 2)


def of_a_global(w):
    """Data under a global name."""
    return float(np.sum(X.dot(w) ** 2))


def of_what_follows(w):
    """Data that follow from others."""
    return X.T[:, 1:].T.dot(w).T.dot(np.ones(3)) + (2 * LARGE).dot(w).sum() + np.sum(LARGE * w)


def of_a_helper(w):
    """Data that another function knows."""
    return of_a_global(w)


def closure(data):
    """Data in a closure."""

    def cost(w):
        return np.sum(data.dot(w) ** 2)

    return cost


class Model:
    """Data in an object."""

    def __init__(self):
        self.X = X.copy()

    def loss(self, w):
        """A method."""
        return np.sum(self.X.dot(w) ** 2)


MODEL = Model()
COSTS = {
    "argument": (of_arguments, (X,)),
    "dict": (of_a_dict, ({"X": X},)),
    "global": (of_a_global, ()),
    "derived": (of_what_follows, ()),
    "helper": (of_a_helper, ()),
    "closure": (closure(X), ()),
    "method": (MODEL.loss, ()),
    "closure over a method": (lambda w: MODEL.loss(w), ()),
    "partial": (partial(of_arguments, X=X), ()),
}


@pytest.mark.parametrize(("cost", "args"), COSTS.values(), ids=COSTS)
def test_dot_of_data_is_recorded(cost, args):
    """X.dot(w) gives what it gives, wherever X is kept, and the tape holds NumPy's own arrays."""
    tape = record(cost, Parameters(W), args)
    assert tape.replay([W * 1.5]) == cost(W * 1.5, *args)
    given = [x for operation in tape.operations for x in operation.args if isinstance(x, np.ndarray)]
    assert given
    assert {type(x) for x in given} == {np.ndarray}


@pytest.mark.parametrize(("cost", "args"), COSTS.values(), ids=COSTS)
def test_data_are_the_users_own_afterwards(cost, args):
    """Names and attributes hold the arrays that they held before."""
    before = X, LARGE, MODEL.X
    record(cost, Parameters(W), args)
    assert all(a is b for a, b in zip((X, LARGE, MODEL.X), before, strict=True))
    assert type(args[0]["X"] if args and isinstance(args[0], dict) else X) is np.ndarray


def test_data_are_put_back_where_the_cost_is_declined():
    """So they do where it cannot be recorded for another reason."""

    def cost(w):
        return float(X.dot(w).sum()) + 1

    with pytest.raises(Declined, match=r"float\(\)"):
        record(cost, Parameters(W), ())
    assert type(X) is np.ndarray
    assert not isinstance(X, Data)


def test_what_reads_numbers_elsewhere_is_declined():
    """A function of C code that reads the parameters is declined as before."""

    def cost(w):
        return np.array([float(x) for x in w]).dot(w).sum()

    with pytest.raises(Declined, match=r"float\(\)"):
        record(cost, Parameters(W), ())
