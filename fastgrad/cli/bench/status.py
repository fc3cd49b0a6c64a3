"""The status line of `fastgrad bench`, drawn by rich on a terminal only.

cli/main.py opens it and hands its function on to run_bench, which calls it between two measurements.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.progress import Progress, TextColumn

from fastgrad.cli.bench.problems import PROBLEMS
from fastgrad.execution.progress import forgiving_stderr

LINE = "fastgrad: measuring {task.description}, {task.completed:.0f} of {task.total:.0f}"


@contextlib.contextmanager
def status_line() -> Iterator[Callable[[str], None]]:
    """A function that shows on stderr which engine is measured.

    The line is drawn when the function is called and at no other time: a thread that redraws it would run
    beside what is timed.

    Examples
    --------
    >>> with status_line() as say:  # nothing is shown where stderr is no terminal
    ...     say("the python engine")
    """
    stream = forgiving_stderr()
    terminal, console = stream.isatty(), Console(file=stream)
    with Progress(
        TextColumn(LINE), console=console, auto_refresh=False, transient=True, disable=not terminal
    ) as bar:
        task = bar.add_task("", total=len(PROBLEMS), visible=False)
        yield lambda what: bar.update(task, description=what, advance=1, visible=True, refresh=True)
