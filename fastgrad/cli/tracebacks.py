"""Tracebacks with the user's frames only, for cli/main.py and targets.py to print."""

from __future__ import annotations

import sys
import traceback
from pathlib import Path

from fastgrad.printable import printable_lines

_OURS = ("joblib", "importlib")
"""Modules through which fastgrad calls the user's code: their frames say nothing to the user."""


def user_traceback(error: BaseException) -> str:
    """The traceback of an exception with its causes and notes, without the frames of fastgrad.

    What would act on a terminal is escaped: the text of an exception may quote anything.
    """
    summary = traceback.TracebackException.from_exception(error)
    _keep_users_frames(summary)
    return printable_lines("".join(summary.format()).rstrip())


def _keep_users_frames(summary: traceback.TracebackException) -> None:
    summary.stack = traceback.StackSummary.from_list([f for f in summary.stack if not _is_ours(f.filename)])
    for earlier in (summary.__cause__, summary.__context__):
        if earlier is not None:
            _keep_users_frames(earlier)


def _is_ours(filename: str) -> bool:
    folders = [Path(__file__).parents[1]]
    folders += [Path(m.__file__).parent for m in map(sys.modules.get, _OURS) if m and m.__file__]
    return filename.startswith("<frozen") or any(Path(filename).is_relative_to(f) for f in folders)
