"""What a waiting user is shown on stderr: a progress bar, or what takes so long before it."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Callable, Iterator

PATIENCE = 1.0
"""Seconds before a user is told what the check is doing: kernels that are on disk load in less."""


@contextlib.contextmanager
def announced(what: str, show: bool | None) -> Iterator[None]:
    """Say on stderr what is being done inside, if it takes longer than PATIENCE.

    `show` None says it only where stderr is a terminal; an empty `what` is never said.
    """
    if not what or not (_on_a_terminal() if show is None else show):
        yield
        return
    timer = threading.Timer(PATIENCE, sys.stderr.write, [f"fastgrad: {what} ...\n"])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


@contextlib.contextmanager
def progress_bar(total: int, show: bool | None) -> Iterator[Callable[[int], None]]:
    """A function to call with the number of coordinates just finished; a bar on stderr if shown.

    `show` None shows it only where stderr is a terminal. On a terminal the bar leaves
    nothing behind; elsewhere its last state is printed once.
    """
    if not (_on_a_terminal() if show is None else show):
        yield lambda count: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("checking gradient"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=console.is_terminal) as bar:
        task = bar.add_task("coordinates", total=total)
        yield lambda count: bar.advance(task, count)


def _on_a_terminal() -> bool:
    return sys.stderr is not None and sys.stderr.isatty()  # pythonw and services have no stderr
