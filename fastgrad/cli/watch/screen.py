"""What `fastgrad watch` prints of each check, plain text on one stream.

`session` calls `Screen.show`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from fastgrad.cli.printing import print_to
from fastgrad.cli.watch.changes import NOTHING_CHANGED, changes
from fastgrad.printable import printable, shortened
from fastgrad.report.report import Report
from fastgrad.report.text import to_short_text

CLEAR = "\x1b[2J\x1b[3J\x1b[H"
"""What empties a terminal and what it has scrolled away, and begins at its top."""

NAMED = 4
"""Files that are named at most."""


@dataclass(frozen=True, eq=False)
class Outcome:
    """What came of one check: a report, or what was said in its place."""

    report: Report | None
    said: str = ""


class Screen:
    """Where the checks of a session are shown.

    Parameters
    ----------
    stream : stdout as it was at the start
    root : the folder from which files are named
    full : whether each report is printed in full
    clear : whether a terminal is emptied before each check
    clock : the time of day as text
    """

    def __init__(
        self,
        stream: TextIO | None,
        root: Path,
        full: bool = False,
        clear: bool = False,
        clock: Callable[[], str] = lambda: time.strftime("%H:%M:%S"),
    ) -> None:
        self._stream, self._root, self._full, self._clock = stream, root, full, clock
        self._clear = clear and stream is not None and stream.isatty()
        self._last: Report | None = None
        self._last_at = ""
        """When the last report came, if a check without one came since."""
        self._at = self._shown_at = ""
        self._told: set[Path] = set()
        self._begun = False

    def begin(self, saved: Sequence[Path]) -> None:
        """Say that a check begins, when, and because of which files."""
        self._at = self._clock()
        what = f"saved: {self._names(saved)}" if saved else "again" if self._begun else "first check"
        gap = "\n" if self._begun and not self._clear else ""
        self._begun = True
        print_to(f"{CLEAR * self._clear}{gap}--- {self._at} --- {what}", self._stream)

    def show(self, outcome: Outcome) -> None:
        """Say what came of it, and what changed since the last report."""
        if outcome.report is None:
            self._last_at = self._last_at or self._shown_at
            print_to(outcome.said, self._stream)
            return
        changed = () if self._last is None else changes(self._last, outcome.report)
        headline, gap, rest = self._text(outcome.report).partition("\n\n")
        if changed == NOTHING_CHANGED and not self._full and not self._clear:
            gap = rest = ""  # what stands above still holds
        print_to("\n".join([headline, *self._since(changed)]) + gap + rest, self._stream)
        self._last, self._last_at, self._shown_at = outcome.report, "", self._at

    def watching(self, files: Sequence[Path]) -> None:
        """Say what is waited for, where that is more than was said before."""
        if self._told.issuperset(files):
            return
        self._told.update(files)
        print_to(f"watching {self._names(files)}; Ctrl-C ends", self._stream)

    def _since(self, changed: Sequence[str]) -> list[str]:
        if not changed:
            return []
        when = f"since the check at {self._last_at}" if self._last_at else "since the last run"
        return [printable(f"{when}: {changed[0]}"), *(printable(f"  {said}") for said in changed[1:])]

    def _text(self, report: Report) -> str:
        if self._full:
            return str(report)
        same = self._last is not None and _rows(self._last) == _rows(report)
        return to_short_text(report, table=not (report.passed and same))

    def _names(self, files: Sequence[Path]) -> str:
        shown = [shortened(str(f.relative_to(self._root) if self._root in f.parents else f)) for f in files]
        more = len(shown) - NAMED
        return ", ".join(shown[:NAMED]) + (f" and {more} more" if more > 0 else "")


def _rows(report: Report) -> list[tuple[object, ...]]:
    """What of the blocks is worth a new table: not their errors, which differ in the last digits."""
    return [(row.name, row.shape, row.checked, row.wrong, row.undecided) for row in report.blocks]
