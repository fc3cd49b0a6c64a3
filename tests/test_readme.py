"""The README's first example does what it says."""

from __future__ import annotations

import re
from pathlib import Path

README = Path(__file__).parent.parent / "README.md"


def test_first_example(capsys):
    """The first block of code runs, and prints the report that stands below it."""
    text = README.read_text(encoding="utf-8")
    code, shown = re.search(r"```python\n(.*?)```\n\n```text\n(.*?)```", text, re.DOTALL).groups()
    exec(compile(code, "README.md", "exec"), {})
    printed = capsys.readouterr().out
    shown, rest = shown.split("\n...\n")  # the worst coordinates, and how it was checked, are left out
    assert rest == ""
    assert shown_facts(shown) == shown_facts(printed.split("\nworst coordinates")[0])


def shown_facts(report):
    """The words and whole numbers of a report: the last digits of errors differ between machines."""
    return re.sub(r"\d+(\.\d+)?e[+-]\d+|\d+\.\d+|\[[\d, ]+\]", "#", report).split()
