"""How a worker process begins and ends: it leaves Ctrl-C to its parent, and ends when that does.

`workers` starts its processes with `Beginning` inside `signals_held`.

A worker of joblib's whose parent was killed waits for tasks for minutes, and as long as one worker lives,
joblib's resource tracker, which deletes the shared memory, waits too. So a thread of each worker looks
whether the parent is still there. Linux could send a signal instead (PR_SET_PDEATHSIG), but it comes when the
thread that started the worker ends, and that may be one that the user started for a single check.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

LOOK_EVERY = 1.0
"""Seconds between two looks at the parent: some microseconds of work each. A worker inside compiled code that
keeps the interpreter's lock looks when that is done."""

HELD = [getattr(signal, name) for name in ("SIGINT", "SIGHUP") if hasattr(signal, name)]
"""What the terminal sends to all processes of a group. Both are kept from a worker until it is ready; Ctrl-C
is the parent's to answer. joblib's resource tracker, which never asks for them, outlives the end of a
terminal, and deletes what is left."""

ENDING = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
"""Signals whose handlers, where there are any, end a check."""


@dataclass(frozen=True)
class Beginning:
    """What a worker process does first; two are equal where joblib may take the same processes again.

    Parameters
    ----------
    then : the initializer that the user gave to joblib, which is called with the user's arguments
    """

    then: Callable[..., Any] | None = None

    def __call__(self, *arguments: Any) -> None:
        """Leave Ctrl-C to the parent, and end with it."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        if hasattr(signal, "pthread_sigmask"):
            signal.pthread_sigmask(signal.SIG_UNBLOCK, HELD)
        end_with_parent()
        if self.then is not None:
            self.then(*arguments)


@contextlib.contextmanager
def signals_held() -> Iterator[None]:
    """Start processes inside: they begin without the signals of HELD, and this one answers its own later.

    A KeyboardInterrupt in the middle would leave processes behind that nobody knows of.
    """
    with _answered_afterwards():
        if not hasattr(signal, "pthread_sigmask"):  # Windows
            yield
            return
        before = signal.pthread_sigmask(signal.SIG_BLOCK, HELD)
        try:
            _start_trackers()
            signal.pthread_sigmask(signal.SIG_BLOCK, HELD)
            yield
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextlib.contextmanager
def _answered_afterwards() -> Iterator[None]:
    """Call the handlers of signals that come inside, such as Python's own of Ctrl-C, at the end.

    Blocking is not enough: the signal then goes to another thread of the process, and the handler runs.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # Python's handlers run in the main thread only
        return
    came: list[tuple[Callable[..., Any], int, Any]] = []
    handlers = {number: signal.getsignal(number) for number in ENDING}
    mine = {number: handler for number, handler in handlers.items() if callable(handler)}
    for number, handler in mine.items():
        signal.signal(number, lambda *what, handler=handler: came.append((handler, *what)))
    try:
        yield
    finally:
        for number, handler in mine.items():
            signal.signal(number, handler)
        for handler, *what in came:
            handler(*what)


def _start_trackers() -> None:
    """Start what deletes shared memory in the end: once, and before any worker.

    Python's own, which joblib starts with its first worker, lets Ctrl-C through again (Python 3.11).
    """
    from multiprocessing import resource_tracker

    from joblib.externals.loky.backend import resource_tracker as of_joblib

    resource_tracker.ensure_running()
    of_joblib.ensure_running()


def end_with_parent() -> None:
    """End this process soon after the one that started it has ended, however that was."""
    from multiprocessing import parent_process  # here: `import fastgrad` need not wait for it

    parent = parent_process()
    if parent is not None:
        threading.Thread(target=_watch, args=[parent], name="fastgrad-parent", daemon=True).start()


def _watch(parent: Any) -> None:
    _wait_for_end_of(parent)
    os._exit(1)  # at once: nobody waits for the values, nor for what would be said


def _wait_for_end_of(parent: Any) -> None:
    # The children of a process that has ended get another parent. On Windows a parent stays what it was, and
    # with "forkserver" it is the server: there multiprocessing hands down something to wait for.
    if os.name == "posix" and os.getppid() == parent.pid:
        while os.getppid() == parent.pid:
            time.sleep(LOOK_EVERY)
    elif parent.sentinel is not None:
        from multiprocessing.connection import wait

        wait([parent.sentinel])
