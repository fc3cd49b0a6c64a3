"""What Sphinx reads of docstrings."""

from __future__ import annotations

import doctest
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def docstrings(monkeypatch):
    """docs/docstrings.py as a module."""
    monkeypatch.syspath_prepend(str(ROOT / "docs"))
    import docstrings

    yield docstrings
    sys.modules.pop("docstrings", None)


def test_its_examples(docstrings):
    """The examples in its own docstrings hold."""
    assert doctest.testmod(docstrings) == (0, 2)


def test_examples_are_left_alone(docstrings):
    """Stars and bars of code stay as they are."""
    lines = ["x * y", "", "Examples", "--------", ">>> 2 * 3 | 1", "7"]
    assert docstrings.as_restructured_text(lines) == ["x \\* y", *lines[1:]]


def test_sentences_of_attributes(docstrings):
    """What stands before a colon in an attribute's sentence is no type."""
    lines = ["Why it ended: a budget."]
    docstrings.process(None, "attribute", "a.b", None, None, lines)
    assert lines == ["", "Why it ended: a budget."]


def test_signatures(docstrings):
    """Only what users call has a signature."""
    assert docstrings.signature(None, "class", "fastgrad.Report") == ("", "")
    assert docstrings.signature(None, "class", "fastgrad.Network") is None
