"""Tracebacks with the user's frames only, for cli/main.py and targets.py to print."""

from __future__ import annotations

import sys
import traceback
from pathlib import Path

from fastgrad.errors import InputError, WorkerError
from fastgrad.printable import printable_lines

_OURS = ("joblib", "importlib")
"""Modules through which fastgrad calls the user's code: their frames say nothing to the user."""


def said_of(error: BaseException, users: bool) -> str:
    """What to print of an exception that ended a command, or a check.

    Parameters
    ----------
    error : the exception
    users : whether functions of the user's were run
    """
    if isinstance(error, InputError | WorkerError):
        return f"fastgrad: {error}"
    if users and has_users_frames(error):
        return f"fastgrad: the cost or gradient raised\n{user_traceback(error)}"
    return f"fastgrad: the command failed\n{whole_traceback(error)}"


def user_traceback(error: BaseException) -> str:
    """The traceback of an exception with its causes and notes, without the frames of fastgrad.

    What would act on a terminal is escaped: the text of an exception may quote anything.
    """
    summary = traceback.TracebackException.from_exception(error)
    for one in _with_causes(summary):
        one.stack = traceback.StackSummary.from_list([f for f in one.stack if not _is_ours(f.filename)])
    return _printed(summary)


def whole_traceback(error: BaseException) -> str:
    """The same with all frames, for what went wrong in fastgrad itself."""
    return _printed(traceback.TracebackException.from_exception(error))


def has_users_frames(error: BaseException) -> bool:
    """Whether the user's code had a part in an exception: it, or a cause of it, has frames of others."""
    summary = traceback.TracebackException.from_exception(error)
    return any(not _is_ours(frame.filename) for one in _with_causes(summary) for frame in one.stack)


def _printed(summary: traceback.TracebackException) -> str:
    return printable_lines("".join(summary.format()).rstrip())


def _with_causes(summary: traceback.TracebackException) -> list[traceback.TracebackException]:
    """An exception, what it was raised from, and what a group of exceptions holds."""
    found, waiting = [], [summary]
    while waiting:
        one = waiting.pop()
        found.append(one)
        inside = getattr(one, "exceptions", None) or ()
        waiting += [other for other in (one.__cause__, one.__context__, *inside) if other is not None]
    return found


def _is_ours(filename: str) -> bool:
    folders = [Path(__file__).parents[1]]
    folders += [Path(m.__file__).parent for m in map(sys.modules.get, _OURS) if m and m.__file__]
    return filename.startswith("<frozen") or any(Path(filename).is_relative_to(f) for f in folders)
