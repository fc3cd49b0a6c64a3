"""Methods of plain arrays with recorded arguments: X.dot(W)."""

import numpy as np
import pytest

from fastgrad.engines.traced.declined import Declined
from fastgrad.engines.traced.recorder import record
from fastgrad.problem.parameters import Parameters

X = np.arange(6.0).reshape(2, 3) / 4
W = Parameters(np.array([1.0, -0.5, 0.25]))
ONES = np.ones(2)
POINT = np.array([0.5, 1.0, -1.0])


class Model:
    """A model as students write it."""

    scale = 2.0

    def __init__(self):
        self.X, self.seen = X.copy(), {"X": X.copy()}

    def cost(self, w):
        """By the method of an array that the object holds."""
        return np.sum(np.tanh(self.X.dot(w))) * self.scale + np.sum(self.seen["X"].dot(w))


def closed_over():
    """A cost that closes over its data."""
    data, empty = X.copy(), None

    def cost(w, *, shift=ONES):
        return np.sum(np.tanh(data.dot(w)) + shift.dot(data.dot(w))) if empty is None else w

    return cost


COSTS = {
    "an argument": (lambda w, X: np.sum(np.tanh(X.dot(w))), (X,)),
    "data in a dict": (lambda w, data: np.sum(np.tanh(data["X"].dot(w))), ({"X": X},)),
    "a name of the module": (lambda w: np.sum(np.tanh(X.dot(w))), ()),
    "a default": (lambda w, data=X: np.sum(np.tanh(data.dot(w))), ()),
    "an object": (Model().cost, ()),
    "a closure": (closed_over(), ()),
    "passed on": (lambda w: _loss(w, X), ()),
}


def _loss(w, data):
    return np.sum(np.tanh(data.dot(w)))


@pytest.mark.parametrize("name", COSTS)
def test_methods_of_plain_arrays(name):
    """The cost is recorded, and gives what it gives."""
    cost, args = COSTS[name]
    tape = record(cost, W, args)
    assert tape.replay([POINT]) == cost(POINT, *args)


def test_the_users_objects_stay_as_they_are():
    """Neither the object nor the data nor the function is changed."""
    model = Model()
    before = dict(vars(model))
    record(model.cost, W, ())
    assert vars(model) == before
    assert model.X is before["X"]
    assert type(X) is type(model.seen["X"]) is np.ndarray


def test_what_stays_declined_has_its_first_reason():
    """Where that does not help, the reason is that of the first try."""
    with pytest.raises(Declined, match=r"test_constants.py:\d+: the parameters are turned into"):
        record(lambda w: np.linspace(0.0, 1.0, 3).dot(w) + X.dot(w)[0], W, ())


def test_data_is_not_written_to():
    """A cost that writes to its data is recorded without a change of the user's array."""
    data = X.copy()

    def cost(w, data):
        data[0] = 0.0
        return np.sum(data.dot(w))

    record(cost, W, (data.copy(),))
    tape = record(cost, W, (data,))
    assert tape.replay([POINT]) == np.sum(X[1].dot(POINT))
