"""The user's derivatives from what was moved, and the verdict as it stands."""

from __future__ import annotations

import numpy as np
from running import X, running

from fastgrad.coordinates.table import CONFIRMED


def known(claim=None):
    """What is known after all coordinates were measured."""
    coordinates = running(claim=claim)
    coordinates.measure(np.arange(len(X)))
    return coordinates.known


def test_estimates_are_the_tables():
    """Where the parameters themselves are moved, the user's derivatives are those in the table."""
    derivatives = known()
    np.testing.assert_array_equal(derivatives.estimates().numeric, derivatives.table.numeric)
    assert derivatives.judge().verdict == "agree"


def test_what_is_accepted_changes_the_verdict():
    """A derivative that the table takes over is judged anew."""
    derivatives = known()
    assert derivatives.judge() is derivatives.judge()
    derivatives.table.accept(np.array([3]), np.array([7.0]), np.array([1e-9]))
    assert derivatives.judge().wrong.tolist() == [k == 3 for k in range(len(X))]


def test_cut_short_is_undecided():
    """What looks wrong and was not confirmed before the budget ended is not called wrong."""
    derivatives = known(np.cos(X) + (np.arange(len(X)) == 2))
    assert derivatives.judge().wrong[2]
    assert derivatives.table.level[2] == CONFIRMED
    derivatives.table.level[2] = CONFIRMED - 1
    derivatives.table.cut_off(np.array([2]))
    assert not derivatives.judge().wrong.any()
    assert derivatives.judge().undecided[2]


def test_needed_and_flagged():
    """Positions of the user's coordinates lead to those in the table that they depend on."""
    derivatives = known()
    assert derivatives.needed(np.array([1, 5])).tolist() == [1, 5]
    flags = np.arange(len(X)) == 4
    np.testing.assert_array_equal(derivatives.flagged(flags), flags)
    assert not derivatives.flagged(np.zeros(len(X), dtype=bool)).any()
