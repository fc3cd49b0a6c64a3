"""docs/usage.md has a row for each option of a check, with its default."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from fastgrad.options import Options

PAGE = Path(__file__).parents[2] / "docs" / "usage.md"


def rows():
    """The options of the tables, each with what stands there as its default."""
    text = PAGE.read_text(encoding="utf-8")
    tables = text.split("## The options")[1].split("\n## ")[0]
    found = re.findall(r"^\| (`\w+`(?:, `\w+`)*) \| `([^`]+)` \|", tables, re.MULTILINE)
    return {name: default for names, default in found for name in re.findall(r"\w+", names)}


def test_every_option():
    """No option is missing, and none stands there that is no longer one."""
    assert sorted(rows()) == sorted(field.name for field in fields(Options))


@pytest.mark.parametrize("field", fields(Options), ids=lambda field: field.name)
def test_defaults(field):
    """What is said to be the default is."""
    assert eval(rows()[field.name]) == field.default
