"""Docstrings as Sphinx's napoleon reads them.

In fastgrad's docstrings what follows `name :` is a sentence, where napoleon takes its first line for a type.
They are read in a terminal, so that `*args` has no backslash.
"""

from __future__ import annotations

import re
from typing import Any

WITH_ENTRIES = ("Parameters", "Attributes")
"""Sections whose entries are names with sentences."""


MADE_BY_FASTGRAD = {
    "fastgrad.NumericalGradient",
    "fastgrad.Report",
    "fastgrad.Reports",
    "fastgrad.pytest_plugin.checker.Checker",
    "fastgrad.report.findings.BlockRow",
    "fastgrad.report.findings.Entry",
    "fastgrad.report.findings.Finding",
}
"""Classes that no user calls."""


def as_restructured_text(lines: list[str]) -> list[str]:
    r"""A docstring in which all words of an entry are below its name, and stars and bars are only these.

    Parameters
    ----------
    lines : of the docstring, without their common indentation

    Examples
    --------
    >>> as_restructured_text(["Parameters", "---", "f : callable(*x),", "    or `a * b`", "x : a number"])
    ['Parameters', '---', 'f', '    callable(\\*x),', '    or `a * b`', 'x', '    a number']
    >>> as_restructured_text(["Notes", "---", "x : a number"])
    ['Notes', '---', 'x : a number']
    """
    made: list[str] = []
    section = ""
    for line, below in zip(lines, [*lines[1:], ""], strict=True):
        section = line if re.fullmatch("-{3,}", below) else section
        entry = re.fullmatch(r"(\*{0,2}\w+(?:, \w+)*) : (.+)", line)
        if section in WITH_ENTRIES and entry:
            made += [entry[1], f"    {_escaped(entry[2])}"]
        else:
            made.append(line if section == "Examples" else _escaped(line))
    return made


def _escaped(line: str) -> str:
    parts = re.split("(`[^`]*`)", line)
    return "".join(part if part.startswith("`") else re.sub(r"([*|])", r"\\\1", part) for part in parts)


def process(app: Any, what: str, name: str, found: Any, options: Any, lines: list[str]) -> None:
    """Change the lines that Sphinx has read, before napoleon sees them; the arguments are Sphinx's."""
    if what in ("attribute", "data"):
        lines.insert(0, "")  # or napoleon takes what is before a colon in the first line for a type
    lines[:] = as_restructured_text(lines)


def signature(app: Any, what: str, name: str, *others: Any) -> tuple[str, str] | None:
    """No signature for what users get and never make."""
    return ("", "") if name in MADE_BY_FASTGRAD else None
