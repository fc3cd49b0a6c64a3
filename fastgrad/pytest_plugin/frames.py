"""Tracebacks as a test shows them: the user's own frames, and none of fastgrad's."""

from __future__ import annotations

from types import FrameType, TracebackType

from fastgrad.errors import InputError, WorkerError
from fastgrad.report.report import GradientError

_OURS = ("fastgrad", "joblib")
"""fastgrad, and what it calls the user's functions through."""

_SAID_BY_US = (GradientError, InputError, WorkerError)
"""Exceptions whose text says all: where they were raised is of no interest to the user."""

_OF_A_WORKER = "_RemoteTraceback"
"""The cause by which joblib brings a traceback from a worker, as text."""


def hide_own_frames(error: BaseException, called_rightly: bool = True) -> None:
    """Take the frames of fastgrad out of the traceback of an exception, and of its causes.

    What went wrong in fastgrad itself keeps them: they belong in a report of the fault.

    Parameters
    ----------
    error : what came out of a check
    called_rightly : whether the check has the arguments with which it was called; else they are at fault
    """
    said = isinstance(error, _SAID_BY_US) or type(error.__cause__).__name__ == _OF_A_WORKER
    if called_rightly and not said and users_frames(error.__traceback__) is None:
        return
    for one in _with_causes(error):
        one.__traceback__ = users_frames(one.__traceback__)
        if isinstance(one, _SAID_BY_US) and one.__cause__ and not users_frames(one.__cause__.__traceback__):
            one.__cause__ = None


def users_frames(trace: TracebackType | None) -> TracebackType | None:
    """The traceback without the frames of fastgrad; None if there is nothing else."""
    kept = []
    while trace is not None:
        if not _is_ours(trace.tb_frame):
            kept.append(trace)
        trace = trace.tb_next
    found: TracebackType | None = None
    for one in reversed(kept):
        found = TracebackType(found, one.tb_frame, one.tb_lasti, one.tb_lineno)
    return found


def _is_ours(frame: FrameType) -> bool:
    return str(frame.f_globals.get("__name__", "")).partition(".")[0] in _OURS


def _with_causes(error: BaseException) -> list[BaseException]:
    found: list[BaseException] = []
    waiting: list[BaseException | None] = [error]
    while waiting:
        one = waiting.pop()
        if one is not None and one not in found:
            found.append(one)
            waiting += [one.__cause__, one.__context__]
    return found
