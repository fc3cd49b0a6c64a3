"""Where in a block the wrong entries are."""

from __future__ import annotations

import numpy as np
import pytest

from fastgrad.diagnosis.evidence import Evidence
from fastgrad.diagnosis.places import joined, pattern_of

SHAPE = (6, 7)


def words(bad, good=None):
    """The pattern of some wrong entries of a matrix in words, the others being right; None without one."""
    bad = np.asarray(bad, dtype=bool).reshape(-1)
    values, no = np.arange(42.0), np.zeros(42, dtype=bool)
    block = Evidence("W", SHAPE, np.arange(42), values, values, values, no, no, values)
    found = pattern_of(block, bad, ~bad if good is None else good)
    return None if found is None else found.words


def mask(rows, columns):
    """A rectangle of entries."""
    found = np.zeros(SHAPE, dtype=bool)
    found[rows, columns] = True
    return found


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (mask(2, slice(None)), "only in row 2"),
        (mask(slice(None), slice(1, 4)), "only in columns 1 to 3"),
        (mask(slice(1, 3), slice(4, 6)), "only in rows 1 and 2 of columns 4 and 5"),
        (np.arange(42) >= 30, "from W[4, 2] on"),
        (np.arange(42) < 10, "up to W[1, 2]"),
        (np.arange(42) % 5 == 3, "only at every 5th entry from W[0, 3] on"),
    ],
)
def test_patterns(bad, said):
    """Rows, columns, rectangles, ranges and strides are named with their numbers."""
    assert words(bad) == said


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (np.triu(np.ones((5, 5)), 1), "only above the diagonal"),
        (np.tril(np.ones((5, 5)), -1), "only below the diagonal"),
        (np.eye(5), "only on the diagonal"),
        (1 - np.eye(5), "only off the diagonal"),
    ],
)
def test_triangles(bad, said):
    """The diagonal of a square matrix and its sides are named, but not where half of one is wrong."""
    values, no = np.arange(25.0), np.zeros(25, dtype=bool)
    block = Evidence("W", (5, 5), np.arange(25), values, values, values, no, no, values)
    bad = bad.reshape(-1) > 0
    few = bad & (np.cumsum(bad) <= 2)

    assert pattern_of(block, bad, ~bad).words == said
    assert "diagonal" not in getattr(pattern_of(block, few, ~few), "words", "")


def test_scattered_entries_have_no_pattern():
    """Entries without an order are no pattern, and neither is one that right entries share."""
    assert words(np.isin(np.arange(42), [3, 11, 30])) is None
    rows = mask(2, slice(None))
    assert words(rows, good=np.ones(42, dtype=bool)) is None


def test_entries_that_say_nothing():
    """An entry that is neither wrong nor right may lie in a pattern."""
    rows = mask(slice(2, 4), slice(None)).reshape(-1)
    assert words(rows & (np.arange(42) != 16), good=~rows) == "only in rows 2 and 3"


def test_joined():
    """A list in words."""
    assert [joined(w) for w in (["a"], ["a", "b"], ["a", "b", "c"])] == ["a", "a and b", "a, b and c"]
