"""The progress that a waiting user sees on stderr: a bar, or a line about what takes so long before it.

`Run` makes it and `evaluate` updates it; nothing is shown where stderr is not a terminal.
"""

from __future__ import annotations

import contextlib
import io
import sys
import threading
from collections.abc import Iterator
from typing import IO, Any, cast

from fastgrad.printable import printable

WIDTH_OF_A_LOG = 160
"""Columns of the line that is left where stderr is no terminal: a bar of 80 would be cut to dots."""

NARROW = 110
"""Columns of a terminal below which the numbers need the room of the bar."""

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
    timer = threading.Timer(PATIENCE, _say, [f"{what} ..."])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


class Forgiving(io.TextIOBase):
    """A stream that drops what another one refuses: no check ends because its progress cannot be shown.

    Parameters
    ----------
    stream : stderr, which may be a full disk, a closed pipe, or closed; None where there is none
    """

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._encoding = getattr(stream, "encoding", None) or "utf-8"

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """The encoding of the other stream."""
        return self._encoding

    def isatty(self) -> bool:
        """Whether the other stream is a terminal."""
        try:
            return bool(self._stream.isatty())
        except Exception:
            return False

    def fileno(self) -> int:
        """The number of the other stream's file."""
        return int(self._stream.fileno())

    def write(self, text: str) -> int:
        """Write a text, with escapes for what cannot be encoded, or drop it."""
        with contextlib.suppress(Exception):
            self._stream.write(text.encode(self._encoding, "backslashreplace").decode(self._encoding))
        return len(text)

    def flush(self) -> None:
        """Flush the other stream, if it can be."""
        with contextlib.suppress(Exception):
            self._stream.flush()


class Progress:
    """What a waiting user is told while values come in: how many, how fast, how long yet, what was found.

    Parameters
    ----------
    show : True or False; None for on a terminal only
    """

    def __init__(self, show: bool | None) -> None:
        self.shown = _on_a_terminal() if show is None else show
        self._silent = show is False
        self._bar: Any = None
        self._task: Any = None

    @contextlib.contextmanager
    def stage(self, what: str, total: int | None) -> Iterator[Progress]:
        """Show a bar for one stage of the check; on a terminal it leaves nothing behind.

        Elsewhere its last state is printed once.
        """
        if not self.shown:
            yield self
            return
        from rich.console import Console
        from rich.progress import Progress

        console = Console(file=forgiving_stderr(), markup=False)
        if not console.is_terminal:
            console.width = WIDTH_OF_A_LOG
        with Progress(*_columns(console.width), console=console, transient=console.is_terminal) as bar:
            self._bar, self._task = bar, bar.add_task(what, total=total, found="")
            yield self
        self._bar = None

    def advance(self, count: int) -> None:
        """Tell of so many more that are finished."""
        if self._bar is not None:
            self._bar.advance(self._task, count)

    def tell(self, agree: int, disagree: int, undecided: int) -> None:
        """Tell how many were found right, wrong and undecided so far."""
        if self._bar is not None:
            found = f"agree {agree:,}  disagree {disagree:,}  undecided {undecided:,}"
            self._bar.update(self._task, found=found)

    def tell_first(self, agree: int, again: int) -> None:
        """Tell how many agree by their first values, and how many are to be looked at again."""
        if self._bar is not None:
            self._bar.update(self._task, found=f"agree {agree:,}  to look at again {again:,}")

    def say(self, sentence: str) -> None:
        """Say on stderr what takes long, before it does; nothing where no progress was wanted."""
        if self._bar is None and not self._silent:
            _say(sentence)


def in_words(seconds: float) -> str:
    """A length of time.

    Examples
    --------
    >>> [in_words(s) for s in (0.2, 42, 300, 8000, 400_000)]
    ['0.2 s', '42 s', '5 min', '2.2 h', '4.6 days']
    """
    for limit, unit, name in ((120, 1, "s"), (7200, 60, "min"), (172_800, 3600, "h")):
        if seconds < limit:
            return f"{seconds / unit:.2g} {name}"
    return f"{seconds / 86_400:.2g} days"


def _columns(width: int) -> tuple[Any, ...]:
    from rich.progress import BarColumn, MofNCompleteColumn, ProgressColumn, TextColumn, TimeRemainingColumn
    from rich.text import Text

    class Rate(ProgressColumn):
        def render(self, task: Any) -> Text:
            return Text("" if task.speed is None else f"{task.speed:,.0f}/s")

    return (
        TextColumn("{task.description}", markup=False),
        *([BarColumn(bar_width=20)] if width >= NARROW else []),
        MofNCompleteColumn(),
        Rate(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[found]}", markup=False),
    )


def _on_a_terminal() -> bool:
    return forgiving_stderr().isatty()  # pythonw and services have no stderr


def forgiving_stderr() -> IO[str]:
    """The stderr of now, for rich to draw on."""
    return cast("IO[str]", Forgiving(sys.stderr))


def _say(sentence: str) -> None:
    stream = forgiving_stderr()
    stream.write(f"fastgrad: {printable(sentence)}\n")
    stream.flush()
