"""`fastgrad explain`: what a code means, on a terminal and in a pipe."""

from __future__ import annotations

import io

import pytest

from fastgrad.cli.explain import rendered, text_of_codes
from fastgrad.cli.main import main
from fastgrad.errors import InputError
from fastgrad.explanations import codes, explanation


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self):
        """It is."""
        return True


def test_prints_the_explanation(capsys):
    """In a pipe the file is printed as it stands, several one after another; the status is 0."""
    assert main(["explain", "fg104", "FG202"]) == 0
    assert capsys.readouterr().out == f"{explanation('FG104').text}\n\n\n{explanation('FG202').text}\n"


def test_lists_all(capsys):
    """Without a code all are listed, with their titles, under what they are about."""
    assert main(["explain"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line[2:7] for line in lines if line.startswith("- ")] == list(codes())
    assert "- FG104 A parameter is NaN or infinite" in lines
    assert "# The cost" in lines


def test_an_unknown_code(capsys):
    """Status 2, and the nearest codes; nothing of the word reaches the terminal as a command."""
    assert main(["explain", "FG1O4"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("fastgrad: there is no code FG1O4: the nearest are FG104")
    assert said.endswith("; `fastgrad explain` lists them all [FG906]\n")
    with pytest.raises(InputError, match=r"there is no code \\x1b\[2J; `fastgrad explain` lists"):
        text_of_codes(["\x1b[2J"])


def test_rendered_for_a_terminal():
    """A terminal gets headings and code laid out, with all words; other streams get Markdown."""
    text = explanation("FG104").text
    drawn = rendered(text, Terminal())
    assert "```" not in drawn
    assert "FG104: A parameter is NaN or infinite" in drawn
    assert "\x1b[" in drawn
    assert rendered(text, io.StringIO()) == text
    closed = io.StringIO()
    closed.close()
    assert rendered(text, None) == rendered(text, closed) == text


def test_words_of_reports(capsys):
    """The words of a report's reasons are explained as their codes are."""
    assert main(["explain", "noise", "Subgradient"]) == 0
    said = capsys.readouterr().out
    assert "# FG501: " in said
    assert "# FG502: " in said
