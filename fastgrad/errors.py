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

from fastgrad.printable import printable_lines


class InputError(ValueError):
    """The problem cannot be checked as it was given: says what was expected, what came, what to try."""

    def __str__(self) -> str:
        return printable_lines(super().__str__())


class WorkerError(RuntimeError):
    """A worker process ended before it could answer."""

    def __str__(self) -> str:
        return printable_lines(super().__str__())


class FastgradWarning(UserWarning):
    """Something was done in another way than asked; the report's notes say the same."""


def warn_user(message: str) -> None:
    """Warn at the line of the user's code that called fastgrad."""
    package, level, frame = f"{Path(__file__).parent}{os.sep}", 2, sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(package):
        frame, level = frame.f_back, level + 1
    warnings.warn(printable_lines(message), FastgradWarning, stacklevel=level)
