"""Points that can be drawn, on a scale that shows them."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_cases import wrong

from fastgrad.report.pictures.scatter import MARKED, scatter


def data(claimed, numeric=None, states=None):
    """What a report says of some coordinates."""
    claimed = np.array(claimed, dtype=float)
    states = np.zeros(len(claimed), dtype=np.uint8) if states is None else np.array(states, dtype=np.uint8)
    numeric = claimed if numeric is None else np.array(numeric)
    return SimpleNamespace(claimed=claimed, numeric=numeric, states=states, allowed=np.ones(len(claimed)))


def test_states():
    """Right and wrong points are those of the report."""
    points = scatter(wrong())
    assert points.wrong.sum() == len(wrong().wrong)
    assert (points.right | points.wrong).all()


@pytest.mark.parametrize(
    ("values", "threshold"),
    [([1.0, 2.0, -50.0], 0.0), ([0.0, 0.0], 0.0), ([1e-6, 1.0, 3.0], 1e-6), ([1e-30, 1.0], 1e-9)],
)
def test_scale(values, threshold):
    """Values of several orders of magnitude are shown logarithmically, as far as nine decades down."""
    assert scatter(data(values)).threshold == pytest.approx(threshold)


def test_what_is_not_finite_is_counted():
    """A point with a number that is not finite is left out and counted; without any point there is none."""
    assert scatter(data([1.0, np.nan, np.inf])).left_out == 2
    assert scatter(data([np.nan])) is None


@pytest.mark.parametrize("state", [1, 2])
def test_the_worst_are_marked(state):
    """Of more points than are marked those are that are farthest from what is allowed."""
    off = np.random.default_rng(0).permutation(2 * MARKED) + 2.0
    marked = scatter(data(off, np.zeros(2 * MARKED), np.full(2 * MARKED, state))).marked
    assert np.flatnonzero(off >= MARKED + 2).tolist() == marked[state - 1].tolist()
    assert not len(marked[2 - state])


@given(st.lists(st.floats(-1e12, 1e12), min_size=1))
def test_places(values):
    """Places lie within -1 and 1, keep the order of the values, and are odd."""
    points = scatter(data(values))
    places = points.unit(points.claimed)
    assert (np.abs(places) <= 1 + 1e-12).all()
    assert (np.diff(places[np.argsort(points.claimed, kind="stable")]) >= 0).all()
    assert points.unit(-points.claimed) == pytest.approx(-places)
