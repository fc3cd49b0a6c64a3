"""F with its outputs flat, and at moved parameters."""

import numpy as np
import pytest

from fastgrad.problem.parameters import Parameters
from fastgrad.vector.function import MovedFunction
from fastgrad.vector.outputs import Outputs


def moved(function, x):
    """F at moved parameters."""
    return MovedFunction(function, Parameters(x), (), Outputs.of(function(x)))


def test_moves():
    """Displacements count along all parameters, and the user's arrays stay as they are."""
    x = {"a": np.ones(2), "b": 3.0}
    function = moved(lambda p: np.array([p["a"].sum(), p["b"]]), x)
    assert function(np.array([1.0, 10.0, 100.0])).tolist() == [13.0, 103.0]
    assert x["a"].tolist() == [1, 1]


def test_sizes():
    """The size of a parameter is a power of two near it; of a zero that of its block."""
    assert moved(np.sin, np.array([3.1, -0.9, 1000.0])).sizes.tolist() == [4, 1, 1024]
    assert moved(np.sin, np.zeros(2)).sizes.tolist() == [1, 1]


def test_outside_the_domain():
    """Outside the domain outputs are not known; any other exception is the user's."""

    def function(x):
        if x[0] > 1:
            raise ValueError
        if x[0] < 1:
            raise KeyError
        return x

    f = moved(function, np.ones(1))
    assert np.isnan(f(np.ones(1))).all()
    with pytest.raises(KeyError):
        f(-np.ones(1))
