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

from fastgrad.printable import printable, printable_lines


class InputError(ValueError):
    """The problem cannot be checked as it was given: says what was expected, what came, what to try.

    Parameters
    ----------
    message : one line, whatever of the user's it quotes
    traceback : of the user's own exception, printed below the message; empty where there is none
    """

    def __init__(self, message: str = "", traceback: str = "") -> None:
        super().__init__(message, *([traceback] if traceback else []))

    def __str__(self) -> str:
        return _in_lines(*self.args)


class WorkerError(RuntimeError):
    """A worker process ended before it could answer.

    Parameters
    ----------
    message, traceback : as in InputError
    """

    def __init__(self, message: str = "", traceback: str = "") -> None:
        super().__init__(message, *([traceback] if traceback else []))

    def __str__(self) -> str:
        return _in_lines(*self.args)


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
