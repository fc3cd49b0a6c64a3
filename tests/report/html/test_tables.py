"""Tables have heads, rows that are named, numbers that can be sorted by."""

from __future__ import annotations

import math

import pytest
from page_cases import Page

from fastgrad.report.html.elements import html_of
from fastgrad.report.html.tables import Number, Word, count, real, table


def page(rows, sortable=True):
    """The page of a table of two columns."""
    return Page(html_of(table("what <it> lists", ("where", "how many"), rows, sortable)))


def test_table():
    """A table has a caption, heads of columns and of rows, and a group of its name that scrolls."""
    found = page([("W<1>", count(12_345))])
    assert found.values("scope") == ["col", "col", "row"]
    assert found.values("aria-label") == ["what <it> lists"]
    assert found.values("tabindex") == ["0"]
    assert found.text.split() == ["what", "<it>", "lists", "where", "how", "many", "W<1>", "12,345"]


def test_what_is_sorted_by():
    """Numbers are sorted by their value and not by their text; a table of one row is not sorted."""
    assert page([("a", count(12_345)), ("b", real(1e-9, ".0e"))]).values("data-value") == ["12345.0", "1e-09"]
    assert "sortable" in page([("a", "b"), ("c", "d")]).values("class")
    assert "sortable" not in page([("a", "b")]).values("class")
    assert "sortable" not in page([("a", "b"), ("c", "d")], sortable=False).values("class")


def test_infinity_is_sorted_by():
    """What is infinite has the word of JavaScript: it is more than any number, and not unknown."""
    rows = [("a", real(math.inf)), ("b", real(-math.inf)), ("c", real(math.nan))]
    assert page(rows).values("data-value") == ["Infinity", "-Infinity", "nan"]


@pytest.mark.parametrize(("value", "text"), [(math.nan, ""), (math.inf, "inf"), (0.25, "0.25")])
def test_real(value, text):
    """What is not known is shown as nothing."""
    assert real(value).text == text


def test_word():
    """A word has a style of its own."""
    assert "disagree" in page([("a", Word("disagree", "disagree"))]).values("class")
    assert Number("1", 1.0) != Number("1", 2.0)
