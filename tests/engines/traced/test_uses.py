"""Where a cost first uses entries of a parameter."""

import numpy as np
import pytest

from fastgrad.engines.traced.recorder import record
from fastgrad.engines.traced.uses import first_uses
from fastgrad.problem.parameters import Parameters


def names(cost, entries, params=None):
    """The operations that use some of six entries."""
    tape = record(cost, Parameters(np.arange(1.0, 7.0) if params is None else params), ())
    shape = tape.base[0].shape
    mask = np.isin(np.arange(tape.base[0].size), entries).reshape(shape)
    return [operation.function.__name__ for operation in first_uses(tape, 0, mask)]


def layered(x):
    """A cost of a long vector that is cut into two."""
    first, second = x[:4].reshape(2, 2), x[4:]
    return np.sum(np.tanh(first)) + np.sum(np.exp(second) ** 2)


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ([0], ["getitem", "reshape", "tanh"]),
        ([5], ["getitem", "exp"]),
        ([3, 4], ["getitem", "reshape", "getitem", "tanh", "exp"]),
    ],
)
def test_slices_are_followed(entries, expected):
    """Entries that a slice leaves out are not used there, and what is computed of the others is no use."""
    assert names(layered, entries) == expected


def test_every_use():
    """A parameter that is used at several places is found at each."""
    assert names(lambda x: np.sum(np.sin(x)) + np.sum(x**2), [2]) == ["sin", "square"]


def test_joined_with_constants():
    """Entries beside constants are followed too, and beside whole numbers."""
    assert names(lambda x: np.sum(np.cos(np.concatenate([[1, 2], x]))), [2]) == ["concatenate", "cos"]
    assert names(lambda x: np.sum(np.cos(x[np.array([0, 3])])), [3]) == ["getitem", "cos"]
    assert names(lambda x: np.sum(np.cos(x[np.array([0, 3])])), [2]) == []


def test_entries_that_overwrite():
    """What is overwritten is not used."""

    def cost(x):
        y = np.zeros(6)
        y[:] = x
        y[0] = 3.0
        return np.sum(np.exp(y))

    assert names(cost, [0])[-1] != "exp"
    assert names(cost, [1])[-1] == "exp"
