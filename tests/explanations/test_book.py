"""The explanations are found by their codes, however these are written."""

from __future__ import annotations

import pytest

from fastgrad.explanations import book


@pytest.mark.parametrize("written", ["FG104", "fg104", " [FG104] ", "104"])
def test_found_however_it_is_written(written):
    """A code is found in small letters, in the brackets of a message, and by its number alone."""
    found = book.explanation(written)
    assert (found.code, found.title) == ("FG104", "A parameter is NaN or infinite")
    assert found.text.startswith("# FG104: A parameter is NaN or infinite\n\nA gradient can only")


@pytest.mark.parametrize("code", ["FG000", "", "noise", "../FG104", "FG1040"])
def test_what_is_none(code):
    """What is no code is not looked for in the folder."""
    with pytest.raises(KeyError):
        book.explanation(code)


def test_the_nearest():
    """Of a mistyped code the nearest are given by their numbers; of other words none."""
    assert book.like("FG1O4")[0] == "FG104"
    assert set(book.like("FG190")) <= {code for code in book.codes() if code[:3] in ("FG1", "FG2")}
    assert book.like("certificate") == []


def test_groups():
    """Each code belongs to a group, and each group has codes."""
    assert {code[:3] for code in book.codes()} == set(book.GROUPS)
