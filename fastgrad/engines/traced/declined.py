"""Why a cost cannot be recorded: the user's file and line, the operation, and what to write instead."""

from __future__ import annotations

import sys
import sysconfig
from functools import lru_cache
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

_FASTGRAD = str(Path(__file__).parents[2])
_PYTHON = tuple(
    str(Path(path).resolve())
    for name, path in sysconfig.get_paths().items()
    if name in ("stdlib", "platstdlib", "purelib", "platlib")
)

REPLACED = "_replaced_by_fastgrad"
"""The attribute of a function that stands for one of NumPy's, which it is, while a cost is recorded."""

CALLS_COST = "_call_cost"
"""The recorder's function that calls the cost: who asked for the recording is no part of the cost."""


class Declined(Exception):
    """A cost cannot be recorded. It is no error: the plain cost is evaluated instead.

    Parameters
    ----------
    reason : what was done, and what to write instead
    place : the line of the user's code, as file:line
    """

    def __init__(self, reason: str, place: str = "") -> None:
        super().__init__(reason, place)
        self.reason, self.place = reason, place

    def __str__(self) -> str:
        return f"{self.place}: {self.reason}" if self.place else self.reason


class Place(NamedTuple):
    """A line of the user's code; as text it is file:line, with the file's name alone.

    Examples
    --------
    >>> f"{Place('/home/me/cost.py', 3)}", f"{Place()}"
    ('cost.py:3', '')
    """

    file: str = ""
    """As Python names it; empty where no line is known."""
    line: int = 0

    @property
    def name(self) -> str:
        """Of the file, without its folder."""
        return _name_of(self.file)

    def __str__(self) -> str:
        return f"{self.name}:{self.line}" if self.file else ""

    def __format__(self, form: str) -> str:
        return format(str(self), form)


def users_place() -> Place:
    """The line of the user's code that is being executed; of a cost that is recorded, a line of the cost."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if is_users_file(frame.f_code.co_filename):
            return Place(frame.f_code.co_filename, frame.f_lineno)
        if frame.f_code.co_name == CALLS_COST:
            break
        frame = frame.f_back
    return Place()


@lru_cache(maxsize=4096)
def _name_of(path: str) -> str:
    return Path(path).name


def line_of_error(error: Exception) -> str:
    """The innermost line of the user's code from which an exception came, as file:line."""
    place, trace = "", error.__traceback__
    while trace is not None:
        name = trace.tb_frame.f_code.co_filename
        if is_users_file(name):
            place = f"{_name_of(name)}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place


def called_by_user(function: Any) -> bool:
    """Whether the caller was called by the user's code, and not by that of a library.

    A library in C has no frame of its own: it is told apart by what names the user's function mentions.

    Parameters
    ----------
    function : what was called, under its own name or another one
    """
    frame = sys._getframe(2)
    code = frame.f_code
    if not is_users_file(code.co_filename):
        return False
    if function.__name__ in code.co_names:
        return True
    known = (
        frame.f_globals.get(name, frame.f_locals.get(name)) for name in (*code.co_names, *code.co_freevars)
    )
    return any(getattr(thing, REPLACED, thing) is function for thing in known)


@lru_cache(maxsize=4096)
def is_users_file(name: str) -> bool:
    """Whether a file is neither of Python, nor of an installed package, nor of this one.

    Code that was typed in, as in a notebook, has a name in angle brackets or one of the notebook's.
    """
    if name.startswith("<"):
        return not name.startswith(("<frozen", "<__array_function__"))
    if name.endswith((".pyx", ".pxd", ".pxi")):  # compiled: the name that a traceback shows is no path
        return False
    path = str(Path(name).resolve())
    if path.startswith(_FASTGRAD):
        return "/cli/demos/" in path.replace("\\", "/") or "/networks/" in path.replace("\\", "/")
    return "site-packages" not in path and not path.startswith(_PYTHON)
