"""The user's derivatives from what was moved, and the verdict as it stands."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from running import X, running

from fastgrad.coordinates.table import CONFIRMED, FINER


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
    table = derivatives.table
    assert derivatives.judge().wrong[2]
    table.level[2], table.agreed[2] = FINER, False
    table.cut_off(np.array([2]))
    assert not derivatives.judge().wrong.any()
    assert derivatives.judge().undecided[2]


def test_confirmed_is_wrong_though_the_budget_ended():
    """What two unrelated steps agree on, or a second ladder confirmed, is wrong whatever is cut after it."""
    derivatives = known(np.cos(X) + (np.arange(len(X)) == 2))
    table = derivatives.table
    for level, agreed in ((FINER, True), (CONFIRMED, False)):
        table.level[2], table.agreed[2] = level, agreed
        table.cut_off(np.array([2]))
        assert derivatives.judge().wrong[2]


def test_a_claimed_nan_is_wrong_though_the_budget_ended():
    """A claimed NaN needs no measuring, and is wrong whatever is cut."""
    derivatives = known(np.where(np.arange(len(X)) == 2, np.nan, np.cos(X)))
    derivatives.table.cut_off(np.array([2]))
    assert derivatives.judge().wrong[2]


def test_without_a_claim_the_bound_alone_counts():
    """Without a claim nothing is wrong, and what is not seen to a share of itself is undecided."""
    coordinates = running(lambda x: float(np.sum(np.sin(x))))
    coordinates.claim = None
    coordinates.measure(np.arange(len(X)))
    derivatives = coordinates.known
    assert derivatives.judge().verdict == "agree"
    derivatives.table.accept(np.array([3]), derivatives.table.numeric[[3]], np.array([1.0]))
    assert derivatives.judge().undecided.tolist() == [k == 3 for k in range(len(X))]


def test_jitter_widens_the_bound():
    """How far repeats of the gradient are apart is added to the bound, for the claim is known no better."""
    derivatives = known()
    plain = derivatives.estimates().error_bound
    derivatives.claim = replace(derivatives.claim, jitter=np.full(len(X), 0.5))
    derivatives.table.touch()
    np.testing.assert_array_equal(derivatives.estimates().error_bound, plain + 0.5)


def test_needed_and_flagged():
    """Positions of the user's coordinates lead to those in the table that they depend on."""
    derivatives = known()
    assert derivatives.needed(np.array([1, 5])).tolist() == [1, 5]
    flags = np.arange(len(X)) == 4
    np.testing.assert_array_equal(derivatives.flagged(flags), flags)
    assert not derivatives.flagged(np.zeros(len(X), dtype=bool)).any()


def test_the_step_of_each_estimate():
    """Each estimate has the step that the table knows; one that is not finite has none, nor have nodes."""
    derivatives = known()
    np.testing.assert_array_equal(derivatives.steps(), derivatives.table.taken)
    assert (derivatives.steps() > 0).all()
    derivatives.table.numeric[2] = np.nan
    assert np.flatnonzero(np.isnan(derivatives.steps())).tolist() == [2]
    derivatives.space = replace_plain(derivatives.space)
    assert derivatives.steps() is None


def replace_plain(space):
    """The space as one in which others than the user's parameters are moved."""
    space.is_plain = False
    return space


def test_the_largest_claims():
    """What overflows with a claim near the largest float overflows in silence."""
    found = known(1.5e308 * np.cos(X))
    with np.errstate(all="raise"):
        assert len(found.a_little_off(3)) <= 3
