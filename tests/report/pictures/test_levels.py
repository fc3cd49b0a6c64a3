"""Levels follow the error over what was allowed, and never contradict the verdict."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_cases import agreeing, undecided_report, wrong

from fastgrad.report.pictures.levels import FIRST_WRONG, MEANINGS, UNDECIDED_LEVEL, levels_of


def data(claimed, numeric, allowed, states):
    """What a report says of some coordinates."""
    return SimpleNamespace(
        claimed=np.array(claimed),
        numeric=np.array(numeric),
        allowed=np.array(allowed),
        states=np.array(states),
    )


@pytest.mark.parametrize(
    ("off", "state", "level"),
    [
        (0.0, 0, 1),
        (0.009, 0, 1),
        (0.05, 0, 2),
        (0.5, 0, 3),
        (3.0, 0, 3),
        (0.5, 2, 5),
        (5.0, 2, 5),
        (50.0, 2, 6),
        (5000.0, 2, 7),
        (np.inf, 2, 7),
        (np.nan, 2, 7),
        (np.nan, 1, 4),
        (0.5, 1, 4),
    ],
)
def test_decades(off, state, level):
    """A level is a decade of error over allowed; a verdict keeps to its side."""
    assert levels_of(data([1.0 + off], [1.0], [1.0], [state])).tolist() == [level]


def test_nothing_off_and_nothing_allowed():
    """What is equal is right, whatever is allowed."""
    assert levels_of(data([0.0], [0.0], [0.0], [0])).tolist() == [1]


numbers = st.floats(allow_nan=True, allow_infinity=True)


@given(st.lists(st.tuples(numbers, numbers, st.floats(0), st.sampled_from([0, 1, 2])), min_size=1))
def test_of_any_numbers(rows):
    """Each coordinate has the level of its state, whatever its numbers are."""
    claimed, numeric, allowed, states = zip(*rows, strict=True)
    levels = levels_of(data(claimed, numeric, allowed, states))
    expected = np.select([np.array(states) == 2, np.array(states) == 1], [2, 1], 0)
    found = np.select([levels >= FIRST_WRONG, levels == UNDECIDED_LEVEL], [2, 1], 0)
    assert (found == expected).all()
    assert ((levels >= 1) & (levels < len(MEANINGS))).all()


def test_of_reports():
    """The levels of a report count as its verdicts do."""
    for report in (agreeing(), wrong(), undecided_report()):
        levels = levels_of(report)
        assert (levels >= FIRST_WRONG).sum() == len(report.wrong)
        assert (levels == UNDECIDED_LEVEL).sum() == len(report.undecided)


def test_each_meaning_stands_by_itself():
    """A legend shows only the levels that are there: none leans on the words of another."""
    for meaning in (*MEANINGS[1:UNDECIDED_LEVEL], *MEANINGS[FIRST_WRONG:]):
        assert meaning.startswith(("error ", "wrong: "))
        assert meaning.endswith("allowed")
