"""The README's first example does what it says."""

from __future__ import annotations

import re
from pathlib import Path

from printed_facts import printed_facts

README = Path(__file__).parent.parent / "README.md"


def test_first_example(capsys):
    """The first block of code runs, and prints the report that stands below it."""
    text = README.read_text(encoding="utf-8")
    code, shown = re.search(r"```python\n(.*?)```\n\n```text\n(.*?)```", text, re.DOTALL).groups()
    exec(compile(code, "README.md", "exec"), {})
    printed = capsys.readouterr().out
    assert printed_facts(shown) == printed_facts(printed.split("\nworst coordinates")[0])
