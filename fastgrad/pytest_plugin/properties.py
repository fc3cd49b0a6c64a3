"""One check as properties of its test: what JUnit's XML shows, and what pytest-xdist brings to the summary.

pytest hands the properties of a test on to every report about it, from process to process. They are text and
Python's own numbers; the names of a second check of a test end in .2, and so on.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fastgrad.report.report import Report

PREFIX = "fastgrad."
UNDECIDED = "undecided"

Properties = list[tuple[str, Any]]


@dataclass(frozen=True)
class Check:
    """What the summary says of one check."""

    verdict: str
    relative_error: float
    coordinates: int
    evaluations: int
    seconds: float
    reason: str = ""
    """Why it is undecided; empty where it is not."""
    not_written: str = ""
    """Why its report is not in the folder, where it was to be."""

    @property
    def is_undecided(self) -> bool:
        """Whether the verdict is "undecided"."""
        return self.verdict == UNDECIDED

    @classmethod
    def of(cls, report: Report, not_written: str = "") -> Check:
        """Of a report."""
        return cls(
            report.verdict,
            float(report.relative_error),
            int(report.coverage.checked),
            int(report.evaluations),
            float(report.seconds),
            _reason(report) if report.verdict == UNDECIDED else "",
            not_written,
        )


def next_number(properties: Iterable[tuple[str, Any]]) -> int:
    """Which check of its test the next one is, from 1."""
    return 1 + sum(name.startswith(f"{PREFIX}verdict") for name, _ in properties)


def as_properties(check: Check, number: int) -> Properties:
    """A check as properties of its test; empty ones are left out.

    Examples
    --------
    >>> as_properties(Check("agree", 1e-9, 3, 126, 0.5), 2)[:2]
    [('fastgrad.verdict.2', 'agree'), ('fastgrad.relative_error.2', 1e-09)]
    """
    end = "" if number == 1 else f".{number}"
    return [(f"{PREFIX}{name}{end}", value) for name, value in asdict(check).items() if value != ""]


def checks_in(properties: Iterable[tuple[str, Any]]) -> list[Check]:
    """The checks that the properties of a test tell of, in order.

    Examples
    --------
    >>> check = Check("agree", 1e-9, 3, 126, 0.5)
    >>> checks_in([("other", 1), *as_properties(check, 1), *as_properties(check, 2)]) == [check, check]
    True
    """
    found: dict[str, dict[str, Any]] = {}
    for name, value in properties:
        if name.startswith(PREFIX):
            field, _, number = name.removeprefix(PREFIX).partition(".")
            found.setdefault(number, {})[field] = value
    return [Check(**fields) for fields in found.values()]


def _reason(report: Report) -> str:
    """Why a report is undecided, in one line of printable text."""
    from fastgrad.printable import printable

    first = [f"{finding.label}: {finding.cause} [{finding.reference}]" for finding in report.undecided[:1]]
    more = len(report.undecided) - 1
    others = f" (and {more:,} more coordinates)" if more > 0 else ""
    doubt = [f"{report.doubt} [{report.doubt_reference}]"] if report.doubt else []
    return printable("; ".join([*doubt, *first]) + others)
