"""The table of coordinates: one door, and a version that tells when anything changed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from fastgrad.coordinates.table import COLUMNS, CONFIRMED, LADDERED, OWN, SCREENED, CoordinateTable
from fastgrad.differences.plan import make_plan
from fastgrad.differences.reasons import Reason
from fastgrad.differences.rulings import Rulings
from fastgrad.differences.stencils import CENTRAL
from fastgrad.problem.parameters import Parameters

PARAMETERS = Parameters(np.ones(9))


def table_of(*indices, steepest=8.0, moves=True):
    """A screened table of some coordinates, whose derivative is their index."""
    at = np.array(indices)
    size = np.full(len(at), 2.0)
    plan = make_plan(PARAMETERS, at, CENTRAL)
    return CoordinateTable.screened(plan, at.astype(float), np.full(len(at), 0.1), size, steepest, moves)


def rulings(numeric, lower=np.nan, upper=np.nan):
    """What a ladder found at one coordinate."""
    one = np.ones(1)
    kink = np.array([not np.isnan(lower)])
    reason = np.array([Reason.NOISE], dtype=np.int8)
    return Rulings(numeric * one, 0.01 * one, one, kink, lower * one, upper * one, ~kink, reason)


def test_accept():
    """What a stage hands in stands at its positions, with the stage's level; the version moves on."""
    table = table_of(1, 4, 6)
    before = table.version
    table.accept(np.array([1]), np.array([4.5]), np.array([0.2]), OWN)
    assert table.numeric.tolist() == [1.0, 4.5, 6.0]
    assert table.level.tolist() == [SCREENED, OWN, SCREENED]
    assert table.version == before + 1


def test_rulings():
    """A kink's interval becomes its middle and half its width; a ladder can be looked up again."""
    table = table_of(1, 4, 6)
    table.accept_rulings(np.array([2]), rulings(6.5), LADDERED)
    table.accept_rulings(np.array([0]), rulings(1.0, lower=-1.0, upper=3.0), CONFIRMED)
    assert table.numeric.tolist() == [1.0, 4.0, 6.5]
    assert table.error_bound.tolist() == [2.0, 0.1, 0.01]
    assert table.kink.tolist() == [True, False, False]
    assert table.rulings_on(np.array([2, 0])).numeric.tolist() == [6.5, 1.0]


def test_extend_keeps_rows_together():
    """Rows of other coordinates are sorted in, each with all that is known of it, ladders too."""
    table, other = table_of(1, 6), table_of(3, 8)
    table.accept_rulings(np.array([1]), rulings(6.5), LADDERED)
    other.accept_rulings(np.array([0]), rulings(3.5), LADDERED)
    other.cut_off(np.array([1]))
    table.extend(other)
    assert table.plan.indices.tolist() == [1, 3, 6, 8]
    assert table.numeric.tolist() == [1.0, 3.5, 6.5, 8.0]
    assert table.cut.tolist() == [False, False, False, True]
    assert table.rulings_on(np.array([1, 2])).numeric.tolist() == [3.5, 6.5]


def test_every_change_counts():
    """Whatever changes the table moves its version on, so that no stale verdict is printed."""
    table, seen = table_of(1, 4), []
    for change in (
        lambda: table.accept(np.array([0]), np.ones(1), np.ones(1)),
        lambda: table.cut_off(np.array([0])),
        lambda: table.lower_steepest(3.0),
        lambda: table.extend(table_of(7)),
        table.touch,
    ):
        before = table.version
        change()
        seen.append(table.version > before)
    assert all(seen)
    assert table.steepest == 8.0  # the other table's is larger


def test_two_tables_as_one():
    """Of two tables the steeper secant counts, and the cost moves if it did in either."""
    table = table_of(1, steepest=2.0, moves=False)
    table.extend(table_of(3, steepest=1.0, moves=False))
    assert (table.steepest, table.moves) == (2.0, False)
    table.extend(table_of(5, steepest=4.0, moves=True))
    assert (table.steepest, table.moves) == (4.0, True)


def test_a_lower_secant_only():
    """A secant from smaller steps replaces the steepest one only if it is smaller."""
    table = table_of(1)
    table.lower_steepest(9.0)
    assert table.steepest == 8.0
    table.lower_steepest(3.0)
    assert table.steepest == 3.0


def test_far():
    """Coordinates are far that were measured at more than a quarter of their size."""
    table = table_of(1, 4)
    table.plan.steps[:] = 0.5, 0.5 + 1e-9
    assert table.far.tolist() == [False, True]
    assert table.extend(table_of(2)) is None
    assert table.far.tolist() == [False, False, True]


def test_every_column_travels():
    """Whatever is known of a coordinate stays with it when others are sorted in."""
    table, other = table_of(2), table_of(1)
    for k, name in enumerate(COLUMNS):
        column = getattr(table, name)
        column[:] = True if column.dtype == bool else k + 1
    table.extend(other)
    for k, name in enumerate(COLUMNS):
        column = getattr(table, name)
        assert len(column) == 2, name
        assert column[1] == (True if column.dtype == bool else k + 1), name


def test_what_was_left_alone_is_said():
    """Open coordinates that stayed as they were, for a sample did, are counted in the report."""
    table = table_of(1)
    assert table.notes == ()
    table.left_alone = 1234
    assert table.notes[0].startswith("1,234 coordinates that were not found right were measured by a few")


def test_the_step_of_an_estimate():
    """It is that of the values that the estimate comes from: of the plan, of a stage, of a ladder."""
    table = table_of(1, 4, 6)
    planned = table.plan.steps.copy()
    assert table.taken.tolist() == planned.tolist()
    assert table.taken is not table.plan.steps
    table.accept(np.array([1]), np.array([4.5]), np.array([0.2]), OWN, np.array([0.125]))
    assert table.taken.tolist() == [planned[0], 0.125, planned[2]]
    table.accept_rulings(np.array([2]), rulings(6.5), LADDERED)
    assert table.taken[2] == rulings(6.5).step[0]
    table.accept(np.array([0]), np.array([4.5]), np.array([0.2]))
    assert np.isnan(table.taken[0])


def test_the_step_of_an_estimate_that_a_ladder_keeps():
    """Where a ladder finds nothing better, the step stays that of what was known."""
    table = table_of(1, 4)
    same = replace(rulings(0.0), numeric=table.numeric[:1].copy(), error_bound=table.error_bound[:1].copy())
    before = table.taken.tolist()
    table.accept_rulings(np.array([0]), same, LADDERED)
    assert table.taken.tolist() == before
