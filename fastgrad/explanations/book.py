"""The explanations, read from the files of this folder.

A file FG104.md has the title "# FG104: ..." first, then what it means, an example under "## Bad" that comes
to this, one under "## Good" beside it, and what else can be done. `tests/explanations` runs the examples.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

GROUPS = {
    "FG1": "Parameters and problems",
    "FG2": "The cost",
    "FG3": "The claimed gradient",
    "FG4": "Options",
    "FG5": "Reasons in a report",
    "FG6": "Engines and networks",
    "FG7": "Vector functions and scipy's calls",
    "FG8": "torch, JAX and dask",
    "FG9": "The command line, files and workers",
}
"""What the codes of each hundred are about, by their first three characters."""


@dataclass(frozen=True)
class Explanation:
    """What one code means."""

    code: str
    title: str
    """In a sentence, without the code."""
    text: str
    """The whole file: Markdown that can be read as it is."""


@cache
def codes() -> tuple[str, ...]:
    """All codes that are explained, in their order.

    Examples
    --------
    >>> codes()[:2]
    ('FG101', 'FG102')
    """
    names = (file.name for file in _folder().iterdir())
    return tuple(sorted(name.removesuffix(".md") for name in names if name.endswith(".md")))


def explanation(code: str) -> Explanation:
    """What a code means, however it is written: "FG104", "fg104", "[FG104]" or "104".

    Raises
    ------
    KeyError
        Where there is no such code.

    Examples
    --------
    >>> print(explanation("fg102").title)
    The parameters are empty
    """
    known = written(code)
    if known not in codes():
        raise KeyError(known)
    text = (_folder() / f"{known}.md").read_text(encoding="utf-8").strip()
    return Explanation(known, text.splitlines()[0].removeprefix(f"# {known}: "), text)


def like(code: str) -> list[str]:
    """The three codes next to another by their numbers; empty where it has no number.

    Examples
    --------
    >>> like("FG1O1")[:2]
    ['FG101', 'FG102']
    """
    number = re.fullmatch(r"FG([0-9]{1,9})", written(code).replace("O", "0"))
    return sorted(codes(), key=lambda one: abs(int(one[2:]) - int(number[1])))[:3] if number else []


def written(code: str) -> str:
    """A code as it is written here.

    Examples
    --------
    >>> written("[fg104]"), written("104")
    ('FG104', 'FG104')
    """
    found = code.strip().strip("[]").upper()
    return f"FG{found}" if re.fullmatch(r"[0-9]+", found) else found


def _folder() -> Any:
    return resources.files(__package__)
