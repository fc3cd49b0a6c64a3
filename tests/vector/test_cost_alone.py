"""A Hessian by the cost alone."""

import numpy as np
import pytest

import fastgrad
from fastgrad.problem.parameters import Parameters
from fastgrad.vector.cost_alone import AlongDirection, best_step, random_direction

X = np.array([0.5, -1.0, 2.0, 30.0])


def cost(x):
    """With a Hessian that is full."""
    return np.sum(np.sin(x)) * np.sum(x**2) + x[0] ** 4


def hessian(x):
    """Of `cost`."""
    half = np.outer(np.cos(x), 2 * x)
    diagonal = -np.sin(x) * np.sum(x**2) + 2 * np.sum(np.sin(x))
    return half + half.T + np.diag(diagonal) + np.diag([12 * x[0] ** 2, 0, 0, 0])


def gradient(x):
    """Of `cost`."""
    return np.cos(x) * np.sum(x**2) + 2 * x * np.sum(np.sin(x)) + np.array([4 * x[0] ** 3, 0, 0, 0])


def test_slope():
    """phi is the slope along the direction, as near as differences of sixth order come."""
    v = random_direction(np.abs(X), 0)
    along = AlongDirection(cost, Parameters(X), v, 1.0)
    h = best_step(along, X, ())
    assert AlongDirection(cost, Parameters(X), v, h)(X) == pytest.approx(v @ gradient(X), rel=1e-9)


def test_right():
    """A right Hessian agrees, and the report says that it was by the cost."""
    report = fastgrad.check_hessian(None, hessian, X, cost=cost)
    assert report.verdict == "agree"
    assert "there is no gradient" in report.notes[0]


@pytest.mark.parametrize("k", range(4))
def test_wrong(k):
    """An entry of the diagonal that is off by a tenth disagrees in its row."""

    def wrong(x):
        found = hessian(x)
        found[k, k] *= 1.1
        return found

    report = fastgrad.check_hessian(None, wrong, X, cost=cost)
    assert [f.flat_index for f in report.wrong] == [k]


def test_structures():
    """Parameters may be a dict, and the Hessian nested as [row][column]."""
    params = {"a": 2.0, "b": np.array([1.0, 3.0])}

    def hess(p):
        return {"a": {"a": 2 * p["b"].sum(), "b": 2 * p["a"] * np.ones(2)}, "b": {
            "a": 2 * p["a"] * np.ones(2), "b": np.zeros((2, 2))}}  # fmt: skip

    assert fastgrad.check_hessian(None, hess, params, cost=lambda p: p["a"] ** 2 * p["b"].sum()).passed


def test_neither():
    """Without gradient and cost there is nothing to compare with."""
    with pytest.raises(fastgrad.InputError, match="needs the gradient, or cost="):
        fastgrad.check_hessian(None, hessian, X)
