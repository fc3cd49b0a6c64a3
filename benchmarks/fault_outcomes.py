"""What comes of a check under a fault, counted by kind: the same report, a refusal, or something wrong."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import Enum

from fastgrad.report.plain_table import plain_table

HEADER = ("fault", "tried", "same report", "refused", "wrong", "processes", "files", "shared memory")


class Outcome(Enum):
    """What came of one trial."""

    SAME = "same report"
    REFUSED = "refused"


@dataclass
class Left:
    """What is still there ten seconds after a check has ended, in words."""

    processes: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    memory: list[str] = field(default_factory=list)

    def add(self, other: Left) -> None:
        """What another check left, too."""
        self.processes += other.processes
        self.files += other.files
        self.memory += other.memory

    def __bool__(self) -> bool:
        return bool(self.processes or self.files or self.memory)


@dataclass
class Row:
    """All trials of one kind of fault."""

    name: str
    outcomes: list[Outcome] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    """What went wrong, in words."""
    left: Left | None = None
    """What was left; None where nothing is looked for."""

    @property
    def tried(self) -> int:
        """How many trials there were."""
        return len(self.outcomes) + len(self.wrong)

    @property
    def failed(self) -> bool:
        """Whether anything was wrong or left, or nothing was tried."""
        return bool(self.wrong or self.left) or self.tried == 0

    def try_all(self, trials: Iterable[Callable[[], Outcome]]) -> Row:
        """Do trials; an exception of one, AssertionError too, is something wrong."""
        for trial in trials:
            try:
                self.outcomes.append(trial())
            except Exception:
                self.wrong.append(traceback.format_exc())
        return self

    def cells(self) -> tuple[str, ...]:
        """The row of the table."""
        counts = (self.outcomes.count(Outcome.SAME), self.outcomes.count(Outcome.REFUSED), len(self.wrong))
        left = self.left
        kept = ("", "", "") if left is None else (len(left.processes), len(left.files), len(left.memory))
        return (self.name, *map(str, (self.tried, *counts, *kept)))


def report_of(rows: list[Row]) -> str:
    """The table, and below it what was wrong or left."""
    table = plain_table(HEADER, [row.cells() for row in rows], right=range(1, len(HEADER)))
    said = [f"{row.name}: wrong\n{what}" for row in rows for what in row.wrong]
    said += [f"{row.name}: left {row.left}" for row in rows if row.left]
    return "\n\n".join([table.rstrip("\n"), *said])
