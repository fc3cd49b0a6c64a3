"""What Ctrl-C, SIGTERM and SIGHUP do to the command line: they end it, with a report where one can be made.

`entry` calls `leave_at_once` before anything is imported, and `main` runs a command within `interruptible`.
Only the standard library is imported here, for while it is, Ctrl-C still prints a traceback.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time

TYPE_CHECKING = False  # the typing module is not needed for that, and takes as long to load as all of these
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

INTERRUPTED = 130
"""The exit status after Ctrl-C: shells add the number of the signal, SIGINT = 2, to 128. What ends a command
in the same way has the same status."""

ENDING = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
"""The signals that end a command: from Ctrl-C, from `kill` and `timeout`, from a terminal that closes."""

ONE_WISH = 1.0
"""Seconds in which further signals are taken for the same wish: `timeout` sends one to the process and one to
its group, and the second is not to cost the report."""

SOON = 0.05
"""Seconds until a KeyboardInterrupt that Python had to drop is raised again."""


class Superseded(KeyboardInterrupt):
    """What runs is out of date, and is to make room: nobody wishes the command to end."""


class Interrupts:
    """The signals that a command has received."""

    def __init__(self) -> None:
        self.since: float | None = None
        """When the last wish to end was heard; None before the first."""
        self._gives_way = self._superseded = False

    @contextlib.contextmanager
    def giving_way(self) -> Iterator[None]:
        """Inside, `supersede` raises Superseded in the main thread, once; elsewhere it does nothing."""
        self._gives_way, self._superseded = True, False
        try:
            yield
        finally:
            self._gives_way = False

    def supersede(self) -> None:
        """Raise Superseded in the main thread, as Ctrl-C would raise KeyboardInterrupt; called by another."""
        if self._gives_way:
            self._superseded = True
            _send_to_main_thread(signal.SIGINT)

    def supersede_again(self) -> None:
        """Call `supersede` a little later, as `raise_again` does."""
        self._gives_way = True
        _a_little_later(self.supersede)

    def __call__(self, number: int, frame: Any) -> None:
        """Raise KeyboardInterrupt, unless the signal says once more what one said just now."""
        del frame
        if self._superseded and number == signal.SIGINT:
            still, self._gives_way, self._superseded = self._gives_way, False, False
            if still:
                raise Superseded
            return
        now = time.monotonic()
        if self.since is not None and now - self.since < ONE_WISH:
            return
        self.since = now
        raise KeyboardInterrupt(signal.Signals(number).name)

    def raise_if_lost(self) -> None:
        """Raise KeyboardInterrupt if one was raised, and code in between took it for its own error."""
        if self.since is not None:
            raise KeyboardInterrupt

    def raise_again(self, number: int = signal.SIGINT) -> None:
        """Raise KeyboardInterrupt a little later: in a callback of the garbage collector it would be lost."""
        self.since = None
        _a_little_later(_send_to_main_thread, number)


def leave_at_once() -> None:
    """From now on a signal ends the process, with one line: for when nothing is known yet, or all is said."""
    _handle(_leave)


@contextlib.contextmanager
def interruptible() -> Iterator[Interrupts]:
    """A signal raises KeyboardInterrupt inside; afterwards signals do what they did before."""
    interrupts = Interrupts()
    hook = sys.unraisablehook

    def unraisable(dropped: Any) -> None:
        if isinstance(dropped.exc_value, Superseded):
            interrupts.supersede_again()
        elif isinstance(dropped.exc_value, KeyboardInterrupt):
            interrupts.raise_again()
        else:
            hook(dropped)

    before = _handle(interrupts)
    sys.unraisablehook = unraisable
    try:
        yield interrupts
    finally:
        sys.unraisablehook = hook
        for number, handler in before.items():
            signal.signal(number, handler)


def _handle(handler: Callable[[int, Any], None]) -> dict[int, Any]:
    """Handle the signals that end a command; those that are ignored stay so, as under nohup."""
    if threading.current_thread() is not threading.main_thread():
        return {}
    before = {number: signal.getsignal(number) for number in ENDING}
    heard = {n: was for n, was in before.items() if was is not None and was is not signal.SIG_IGN}
    for number in heard:
        signal.signal(number, handler)
    return heard


def _a_little_later(function: Callable[..., None], *arguments: Any) -> None:
    timer = threading.Timer(SOON, function, arguments)
    timer.daemon = True
    timer.start()


def _send_to_main_thread(number: int) -> None:
    """Send a signal to the thread that handles it: one that another thread gets does not end its waiting."""
    main = threading.main_thread().ident
    if main is not None and hasattr(signal, "pthread_kill"):
        signal.pthread_kill(main, number)
    else:  # Windows
        signal.raise_signal(number)


def _leave(number: int, frame: Any) -> None:
    del number, frame
    with contextlib.suppress(OSError):
        os.write(2, b"fastgrad: interrupted\n")
    os._exit(INTERRUPTED)
