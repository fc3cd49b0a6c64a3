"""Waiting for a save: between two checks, and while one runs.

watchfiles wakes; whether a file that matters was saved, `Sources.saved` says. So several quick saves are one,
a save by renaming is a save, and none is lost between two waits.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

from fastgrad.errors import InputError

LOOK_EVERY = 1.0
"""Seconds between looks at the files where nothing is heard: of some network folders nothing ever is."""


class Watched(Protocol):
    """What is waited for, as `Sources`."""

    @property
    def folders(self) -> tuple[Path, ...]:
        """Where the files are."""

    def saved(self) -> tuple[Path, ...]:
        """Which were saved."""


def require_watchfiles() -> None:
    """Raise InputError where watchfiles is not installed."""
    try:
        import watchfiles  # noqa: F401
    except ImportError as error:
        raise InputError(
            'fastgrad watch needs watchfiles: pip install "fastgrad[watch]"', code="FG905"
        ) from error


def rounds(watched: Watched) -> Iterator[tuple[Path, ...]]:
    """The files that were saved before each check: none before the first, which comes at once."""
    yield ()
    while True:
        wait_for_save(watched)
        yield watched.saved()


def wait_for_save(watched: Watched, stop: threading.Event | None = None) -> bool:
    """Wait until a file was saved.

    Parameters
    ----------
    watched : Watched
    stop : ends the waiting

    Returns
    -------
    bool
        Whether one was; else the waiting was stopped.
    """
    while not (stop and stop.is_set()):
        if watched.saved():
            return True
        for _ in _wakings(watched.folders, stop):
            if watched.saved():
                return True
    return False


@contextlib.contextmanager
def called_at_a_save(watched: Watched, then: Callable[[], Any]) -> Iterator[None]:
    """Call a function from another thread if a file is saved inside."""
    stop = threading.Event()

    def wait() -> None:
        if wait_for_save(watched, stop):
            then()

    thread = threading.Thread(target=wait, name="fastgrad-watch", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _wakings(folders: tuple[Path, ...], stop: threading.Event | None) -> Iterator[Any]:
    """Something for each change in the folders, and each LOOK_EVERY seconds."""
    import watchfiles

    logging.getLogger("watchfiles").setLevel(logging.WARNING)  # the user's code may print all that is logged
    try:
        yield from watchfiles.watch(
            *folders,
            watch_filter=None,
            stop_event=stop,
            rust_timeout=round(1000 * LOOK_EVERY),
            yield_on_timeout=True,
            recursive=False,
        )
    except (OSError, RuntimeError):  # a folder was deleted, or the system watches no more of them
        time.sleep(LOOK_EVERY)
        yield ()
