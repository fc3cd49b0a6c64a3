"""Jumps of inner iterations near the parameters, and what is not one."""

from __future__ import annotations

import numpy as np
import pytest
from running import running

from fastgrad.coordinates.inner_jumps import EVALUATIONS, HALF, POINTS, SUSPECTS, largest_jump, suspects

X = np.array([0.8, 1.3])


def found(cost, off=1e-4):
    """The largest jump along the first parameter, and how many evaluations that took."""
    coordinates = running(cost, X, X)
    coordinates.calibrate(np.arange(2))
    before = coordinates.run.evaluations
    return largest_jump(coordinates._setting(2), 0, off), coordinates.run.evaluations - before


def iterated(x, tolerance=1e-4):
    """The root of u (1 + u) = x for each, by an iteration that stops at a tolerance."""
    u = np.zeros(2)
    while np.abs(x / (1 + u) - u).max() > tolerance:
        u = x / (1 + u)
    return float(np.sum(u))


@pytest.mark.parametrize("size", [1e-3, 1e-6, -1e-3])
def test_a_jump_is_found(size):
    """A step of the cost beside the parameters is found, and how high it is."""
    jump, _ = found(lambda x: float(np.sum(np.sin(x)) + size * (x[0] > 0.8 * (1 + HALF / 3))))
    assert jump == pytest.approx(abs(size), rel=1e-3)


def test_of_an_inner_iteration():
    """One that stops at a tolerance jumps by up to that."""
    places = np.linspace(0.5, 1.0, 2001)
    values = [iterated(np.array([place, 0.01])) for place in places]
    at = int(np.argmax(np.abs(np.diff(values, n=2))))
    X[:] = places[at] * (1 + HALF / 3), 0.01
    try:
        jump, _ = found(iterated)
    finally:
        X[:] = 0.8, 1.3
    assert 1e-6 < jump <= 2e-4


@pytest.mark.parametrize(
    "cost",
    [
        lambda x: float(np.sum(np.sin(x))),
        lambda x: float(np.sum(np.abs(x - 0.8 * (1 + HALF / 3)))),  # a kink
        lambda x: float(np.sum(np.exp(20 * x))),
        lambda x: float(np.sum(np.sin(x)) + 1e8),  # rounding
    ],
)
def test_what_is_none(cost):
    """Slopes, kinks, curves and rounding are no jumps."""
    assert found(cost)[0] == 0.0


def test_where_the_cost_ends():
    """Beside the end of the cost's domain none is found, and nothing warns."""
    assert found(lambda x: float(np.sum(np.log(x - 0.799)) if x.min() > 0.799 else np.inf))[0] == 0.0


def test_evaluations():
    """It takes as many evaluations as it says, at most."""
    for cost in (iterated, lambda x: float(np.sum(np.sin(x)))):
        assert POINTS < found(cost)[1] <= EVALUATIONS


@pytest.mark.parametrize("gap", [4, 15, 27])
def test_suspects(gap):
    """The gap with a jump is the first suspect; gaps next to one another are told apart."""
    t = np.linspace(0, 1, POINTS)
    some = suspects(np.sin(t) + 1e-3 * (np.arange(POINTS) > gap))
    assert (int(some[0]), len(some)) == (gap, SUSPECTS)


@pytest.mark.parametrize(("off", "counts"), [(1e-3, True), (1e-6, False), (1.0, False)])
def test_a_jump_farther_away(off, counts):
    """One farther away counts if it is like the error of the claim, as that of an iteration is."""
    jump, _ = found(lambda x: float(np.sum(np.sin(x)) + 1e-3 * (x[0] > 0.9)), off)
    assert jump == (pytest.approx(1e-3, rel=1e-3) if counts else 0.0)
