"""A progress bar over coordinates, on a terminal."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator


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
