"""Tracebacks show the user's frames only."""

from __future__ import annotations

import numpy as np

import fastgrad
from fastgrad.cli.tracebacks import said_of, user_traceback


def failing(x):
    """A cost that raises."""
    raise RuntimeError("my own mistake")


def test_no_frame_of_ours():
    """An exception of the cost is shown from the user's lines, with the note of where it happened."""
    try:
        fastgrad.check_gradient(failing, np.ones(2), np.ones(2))
    except RuntimeError as error:
        shown = user_traceback(error)
    assert "in failing" in shown
    assert "my own mistake" in shown
    assert "fastgrad/" not in shown.replace(__file__, "")


def test_causes_are_shown_alike():
    """What an exception was raised from is shown, without our frames too."""
    try:
        try:
            fastgrad.check_gradient(failing, np.ones(2), np.ones(2))
        except RuntimeError as error:
            raise ValueError("around it") from error
    except ValueError as error:
        shown = user_traceback(error)
    assert shown.index("my own mistake") < shown.index("around it")
    assert "engines/python.py" not in shown


def test_what_an_exception_quotes_is_printable():
    """Escape sequences in the text of an exception, its notes and its causes are shown as such."""
    try:
        try:
            raise RuntimeError("cause \x1b[31m")
        except RuntimeError as error:
            error.add_note("note \x1b[32m")
            raise ValueError("two\nlines \x1b[33m") from error
    except ValueError as error:
        shown = user_traceback(error)
    assert all(line.isprintable() for line in shown.replace("\t", "").split("\n"))
    assert [code in shown for code in (r"\x1b[31m", r"\x1b[32m", r"\x1b[33m")] == [True] * 3


def test_whose_exception_it_is():
    """A message of fastgrad's stands alone; of the user's code its lines are shown, of fastgrad's own all."""
    assert (
        said_of(fastgrad.InputError("no such file", code="FG902"), users=True)
        == "fastgrad: no such file [FG902]"
    )
    try:
        failing(1)
    except RuntimeError as error:
        said, others = said_of(error, users=True), said_of(error, users=False)
    assert said.startswith("fastgrad: the cost or gradient raised\nTraceback")
    assert others.startswith("fastgrad: the command failed\nTraceback")
    assert said_of(KeyError("ours"), users=True).startswith("fastgrad: the command failed")
