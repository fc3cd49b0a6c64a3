"""Why a coordinate is undecided, in words."""

from __future__ import annotations

import numpy as np
import pytest
from running import running

from fastgrad.coordinates.undecided import Causes

KNOWN = "the derivative at p is known to 0.5, and an error of 0.1 would count"


def causes_of(cost, x, claim):
    """The causes after the coordinates of a cost were measured."""
    x = np.atleast_1d(x)
    coordinates = running(cost, np.broadcast_to(claim, x.shape).astype(float), x)
    coordinates.measure(np.arange(len(x)))
    return Causes.of(coordinates.engines.in_reals.engine, coordinates.known.table), coordinates


def test_noise_is_what_is_left():
    """Where nothing else stood in the way it is noise, with how far the derivative is known."""
    causes, _ = causes_of(lambda p: float(np.sin(p[0])), 0.5, np.cos(0.5))
    assert causes.sentence(0, "p", 1.0, 1.0, 0.5, 0.1) == f"noise: {KNOWN}"


@pytest.mark.parametrize(
    ("bound", "allowed", "known"),
    [
        (0.5, 0.1, KNOWN),
        (0.5, np.nan, "the derivative at p is known to 0.5"),
        (np.inf, 0.1, "no difference gives the derivative at p"),
        (np.inf, np.nan, "no difference gives the derivative at p"),
    ],
)
def test_what_is_not_known_is_no_number(bound, allowed, known):
    """A bound or an allowed error that is not finite is said in words."""
    causes, _ = causes_of(lambda p: float(np.sin(p[0])), 0.5, np.cos(0.5))
    assert causes.sentence(0, "p", 1.0, np.nan, bound, allowed) == f"noise: {known}"


def test_budget_comes_first():
    """A coordinate that the budget cut is said to be so, whatever else is known."""
    causes, coordinates = causes_of(lambda p: float(np.sin(p[0])), 0.5, np.cos(0.5))
    coordinates.known.table.cut_off(np.array([0]))
    causes = Causes.of(coordinates.engines.in_reals.engine, coordinates.known.table)
    assert causes.sentence(0, "p", 1.0, 1.0, 0.5, 0.1).startswith("budget: it was over before")


@pytest.mark.parametrize(
    ("cost", "at", "claim", "word"),
    [
        (lambda p: float(abs(p[0])), 0.0, 0.5, "kink: on its two sides"),
        (lambda p: float(np.sqrt(p[0])) if p[0] >= 0 else np.nan, 0.0, 0.0, "non-finite: the cost is nan at"),
        (lambda p: float(np.floor(p[0]) + p[1]), [0.0, 1.0], 1.0, "jump: the cost jumps at"),
    ],
)
def test_each_reason(cost, at, claim, word):
    """A kink, the end of a domain and a jump are told apart."""
    causes, _ = causes_of(cost, at, claim)
    assert causes.sentence(0, "params[0]", 0.0, 0.0, 1.0, 0.1).startswith(word)
