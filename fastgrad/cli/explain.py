"""`fastgrad explain FG104`: what a code means, and the list of all codes.

`main` calls `text_of_codes`, which gives the text. On a terminal it is rendered, elsewhere it is Markdown as
it stands.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TextIO

from fastgrad.differences.reasons import REFERENCES
from fastgrad.errors import InputError
from fastgrad.explanations import explanation, like
from fastgrad.explanations.book import GROUPS
from fastgrad.explanations.pages import codes_of


def text_of_codes(asked: Sequence[str]) -> str:
    """What some codes mean, as Markdown; without any the list of all.

    Parameters
    ----------
    asked : such as ["FG104", "fg105"]

    Raises
    ------
    InputError
        For a code that there is not.

    Examples
    --------
    >>> print(text_of_codes(["fg102"]).splitlines()[0])
    # FG102: The parameters are empty
    """
    return "\n\n\n".join(map(_text_of, asked)) if asked else _all_codes()


def rendered(markdown: str, stream: TextIO | None) -> str:
    """The text for a stream: laid out and coloured for a terminal, as it stands for anything else."""
    if stream is None or stream.closed or not stream.isatty():
        return markdown
    from rich.console import Console
    from rich.markdown import Markdown

    width = min(Console(file=stream).width, 100)
    drawn = io.StringIO()
    Console(file=drawn, force_terminal=True, width=width).print(Markdown(markdown, code_theme="ansi_light"))
    return drawn.getvalue().rstrip("\n")


def _text_of(code: str) -> str:
    try:
        return explanation(REFERENCES.get(code.lower(), code)).text
    except KeyError:
        near = f": the nearest are {', '.join(like(code))}" if like(code) else ""
        raise InputError(
            f"there is no code {code}{near}; `fastgrad explain` lists them all", code="FG906"
        ) from None


def _all_codes() -> str:
    parts = []
    for start, title in GROUPS.items():
        rows = [f"- {code} {explanation(code).title}" for code in codes_of(start)]
        parts.append("\n".join([f"# {title}", "", *rows]))
    return "\n\n".join(parts)
