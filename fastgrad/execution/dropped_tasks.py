"""Tasks that joblib drops when a check ends early, without the traceback of the thread that hands them out.

`workers` runs tasks within `dropped_quietly` where they go to processes.

When Ctrl-C ends a check, joblib kills the workers and forgets the tasks. Its thread that hands them out may
have the number of one that was given just before, as while workers start on a busy machine. It looks the task
up, and so ends, as it was about to, by a KeyError (loky's `_ExecutorManagerThread` in joblib 1.6).
"""

from __future__ import annotations

import threading
from collections.abc import Callable

HANDING_OUT = "add_call_item_to_queue"
"""The method of joblib's thread that looks tasks up."""

Hook = Callable[[threading.ExceptHookArgs], object]


class DroppedQuietly:
    """Inside, by however many threads at once, that KeyError is not said; whatever else ends a thread is."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._before: Hook = threading.excepthook
        self._mine: Hook = threading.excepthook

    def __enter__(self) -> None:
        with self._lock:
            self._inside += 1
            if self._inside == 1:
                self._before = threading.excepthook
                self._mine = threading.excepthook = _but_for_dropped_tasks(self._before)

    def __exit__(self, *error: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0 and threading.excepthook is self._mine:  # else it is the user's
                threading.excepthook = self._before


dropped_quietly = DroppedQuietly()
"""The one of this process, whose threads share a hook."""


def _but_for_dropped_tasks(say: Hook) -> Hook:
    def heard(what: threading.ExceptHookArgs) -> None:
        place = what.exc_traceback
        while place is not None and place.tb_next is not None:
            place = place.tb_next
        looking_up = place is not None and place.tb_frame.f_code.co_name == HANDING_OUT
        if not (looking_up and what.exc_type is KeyError):
            say(what)

    return heard
