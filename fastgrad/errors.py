"""The exceptions and the warning of fastgrad.

Every other room raises `InputError` for what the user gave and cannot be checked, and calls `warn_user` for
what is done in another way than the user asked. `report.GradientError` is the exception of a failed check.
What they quote of the user's names and exceptions is made printable.
"""

from __future__ import annotations

import os
import sys
import warnings
from pathlib import Path
from typing import Any

from fastgrad.printable import printable, printable_lines


class _Explained(Exception):
    """An exception with a code, which `fastgrad explain` and the documentation explain.

    args are the message, and the traceback where there is one.
    """

    code: str

    def __init__(self, message: str, traceback: str = "", *, code: str) -> None:
        super().__init__(message, *([traceback] if traceback else []))
        self.code = code

    @property
    def message(self) -> str:
        """The message alone: without the code and the traceback, to be quoted in another."""
        return str(self.args[0])

    def __str__(self) -> str:
        colon = ":" * self.message.endswith(":")  # of a message that a traceback follows
        return _in_lines(f"{self.message.removesuffix(':')} [{self.code}]{colon}", *self.args[1:])

    def __reduce__(self) -> tuple[Any, ...]:
        """Rebuild with the code, so that the error survives a trip between processes."""
        return _rebuilt, (type(self), self.args, self.code)


def _rebuilt(kind: type[_Explained], args: tuple[str, ...], code: str) -> _Explained:
    return kind(*args, code=code)


class InputError(_Explained, ValueError):
    """The problem cannot be checked as it was given: says what was expected, what came, what to try.

    Parameters
    ----------
    message : one line, whatever of the user's it quotes
    traceback : of the user's own exception, printed below the message; empty where there is none
    code : of the kind of mistake, such as "FG104": printed after the message, explained in the package
        fastgrad.explanations

    Examples
    --------
    >>> print(InputError("the parameters are empty", code="FG102"))
    the parameters are empty [FG102]
    """


class WorkerError(_Explained, RuntimeError):
    """A worker process ended before it could answer.

    Parameters
    ----------
    message, traceback, code : as in InputError
    """


class FastgradWarning(UserWarning):
    """Something was done in another way than asked; the report's notes say the same."""


def warn_user(message: str) -> None:
    """Warn at the line of the user's code that called fastgrad."""
    package, level, frame = f"{Path(__file__).parent}{os.sep}", 2, sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(package):
        frame, level = frame.f_back, level + 1
    warnings.warn(printable(message), FastgradWarning, stacklevel=level)


def _in_lines(message: str, traceback: str = "") -> str:
    return printable(message) + (f"\n{printable_lines(traceback)}" if traceback else "")
