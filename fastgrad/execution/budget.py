"""What a check may still spend, in seconds and evaluations, and whether it was stopped.

A `Run` owns the `Budget`. `evaluate` asks it between chunks, `strategy` before each batch of coordinates.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

INTERRUPTED = "interrupted"

SHARE_OF_A_CHUNK = 0.04
"""A chunk of work takes at most this share of the seconds given, so that they are kept to within a few
percent; they are looked at between chunks."""

LOOKS = 0.5
"""The share of a budget that has passed when the last first look that can be left out ends."""

TRIFLE = 0.01
"""A look that takes at most this share of the seconds is taken as long as any are left."""

KEPT_BACK = 0.04
"""The share of the seconds that is left for the verdict and the report."""


@dataclass(eq=False)
class Budget:
    """Seconds from now on and evaluations; None where there is no limit.

    Examples
    --------
    >>> budget = Budget(evaluations=100)
    >>> budget.spend(98)
    >>> budget.rows(of=4), budget.stopped
    (0, 'the 100 evaluations of max_evaluations are used up')
    """

    seconds: float | None = None
    evaluations: int | None = None
    stopped: str = ""
    """Why nothing more is evaluated; empty while something may be."""
    spent: int = 0
    for_report: float = 0.0
    """Seconds that verdict and report are expected to take."""
    began: float = field(default_factory=lambda: time.perf_counter())  # looked up now: tests have clocks

    @property
    def limited(self) -> bool:
        """Whether there is any limit."""
        return self.seconds is not None or self.evaluations is not None

    @property
    def limits(self) -> str:
        """The limits as part of the name of a decision: a check that goes on with others decides anew."""
        return f" {self.seconds} s, {self.evaluations} evaluations" if self.limited else ""

    @property
    def seconds_left(self) -> float:
        """Seconds in which evaluations may still begin."""
        if self.seconds is None:
            return float("inf")
        return self.began + self.seconds - self.kept_back - time.perf_counter()

    @property
    def kept_back(self) -> float:
        """Seconds that are left for the verdict and the report."""
        return 0.0 if self.seconds is None else max(KEPT_BACK * self.seconds, self.for_report)

    def spend(self, evaluations: int) -> None:
        """Count evaluations that were made."""
        self.spent += evaluations

    def left(self, seconds_each: float) -> float:
        """How many evaluations of that price can still be made; inf without a limit."""
        if self.stopped:
            return 0.0
        by_count = float("inf") if self.evaluations is None else float(self.evaluations - self.spent)
        by_time = max(0.0, self.seconds_left) / max(seconds_each, 1e-12)
        return max(0.0, min(by_count, by_time))

    def rows(self, of: int) -> int | None:
        """How many rows of so many evaluations the count allows; None for any number."""
        if self.evaluations is None:
            return None
        rows = max(0, self.evaluations - self.spent) // max(1, of)
        if rows == 0:
            self.stop(f"the {self.evaluations:,} evaluations of max_evaluations are used up")
        return rows

    def allows(self, seconds: float, evaluations: int) -> bool:
        """Whether there is room for a first look that takes so long, and so many evaluations."""
        many = self.evaluations is not None and self.spent + evaluations >= LOOKS * self.evaluations
        if many and evaluations:
            return False
        if self.seconds is None:
            return True
        if seconds <= TRIFLE * self.seconds:
            return self.seconds_left > 0
        return self.seconds_left - seconds >= (1 - KEPT_BACK - LOOKS) * self.seconds

    def is_over(self, coming: float = 0.0) -> bool:
        """Whether to stop now; asked between chunks.

        Parameters
        ----------
        coming : seconds that the next chunk is expected to take, which must end within the budget
        """
        if not self.stopped and (self.seconds_left <= 0 or self.seconds_left + self.kept_back < coming):
            self.stop(f"the {self.seconds:g} seconds of the budget are over")
        return bool(self.stopped)

    @property
    def overrun(self) -> float:
        """By how many seconds it was overrun; 0 where it was kept to within what is kept back."""
        if self.seconds is None:
            return 0.0
        over = time.perf_counter() - self.began - self.seconds
        return over if over > self.kept_back else 0.0

    def stop(self, why: str) -> None:
        """Evaluate nothing more."""
        self.stopped = self.stopped or why

    @property
    def longest_chunk(self) -> float:
        """Seconds that a chunk of work may take."""
        return float("inf") if self.seconds is None else SHARE_OF_A_CHUNK * self.seconds
