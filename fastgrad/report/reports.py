"""The reports of several checks that belong together, such as all derivatives in one call of an optimiser.

`forms` makes `Reports`. Its faces are those of a single report: text, JSON, an exception.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike

from fastgrad.printable import printable, shown_name
from fastgrad.report.report import GradientError, Report
from fastgrad.report.whole_file import write_whole
from fastgrad.verdict.rule import AGREE, DISAGREE, UNDECIDED

FORMAT = "fastgrad.reports"
VERSION = 1
"""Raised when a field changes its meaning or goes away; new fields leave it alone."""

AT = " at "
"""Between what is checked and where, in the name of a check."""


@dataclass(frozen=True, eq=False, repr=False)
class Reports:
    """What several checks found; `str(reports)` is the text, with the details of those that did not pass.

    Examples
    --------
    >>> import numpy as np
    >>> import fastgrad
    >>> found = fastgrad.check_minimize(lambda x: x @ x, np.ones(3), jac=lambda x: 2 * x, points=1)
    >>> found
    <fastgrad.Reports: agree, 2 of 2 checks passed>
    >>> list(found.reports)
    ['jac at x0', 'jac at point 1']
    """

    reports: Mapping[str, Report]
    """The report of each check, by what was checked and where."""
    notes: tuple[str, ...] = ()
    """What there was nothing to check of, and what was done in another way, as sentences."""
    unchecked: tuple[str, ...] = ()
    """What was given and could not be checked, as sentences: the verdict is then not "agree"."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "reports", dict(self.reports))
        object.__setattr__(self, "notes", tuple(printable(note) for note in self.notes))
        object.__setattr__(self, "unchecked", tuple(printable(said) for said in self.unchecked))

    @property
    def verdict(self) -> str:
        """The worst of all: "disagree" if any check disagrees, "agree" if all do and nothing was left out."""
        verdicts = {report.verdict for report in self.reports.values()}
        if DISAGREE in verdicts:
            return DISAGREE
        return AGREE if verdicts == {AGREE} and not self.unchecked else UNDECIDED

    @property
    def passed(self) -> bool:
        """Whether the verdict is "agree"."""
        return self.verdict == AGREE

    @property
    def failed(self) -> dict[str, Report]:
        """The reports that did not pass, those that disagree first."""
        found = [(name, report) for name, report in self.reports.items() if not report.passed]
        return dict(sorted(found, key=lambda pair: pair[1].verdict != DISAGREE))

    @property
    def evaluations(self) -> int:
        """Evaluations of all checks together."""
        return sum(report.evaluations for report in self.reports.values())

    @property
    def seconds(self) -> float:
        """The time that all checks took."""
        return sum(report.seconds for report in self.reports.values())

    def __bool__(self) -> bool:
        """The same as `passed`."""
        return self.passed

    def __getitem__(self, name: str) -> Report:
        return self.reports[name]

    def __str__(self) -> str:
        return "\n\n".join([self._headline(), self._list(), *self._details()])

    def __repr__(self) -> str:
        passed = len(self.reports) - len(self.failed)
        return f"<fastgrad.Reports: {self.verdict}, {passed} of {len(self.reports)} checks passed>"

    def _headline(self) -> str:
        failed, count = list(self.failed), len(self.reports)
        if self.verdict == AGREE:
            return f"AGREE: all {count} checks passed." if count > 1 else "AGREE: the one check passed."
        if not failed:
            return f"UNDECIDED: {count} of {count} checks passed; {len(self.unchecked)} could not be made."
        verb, of_those = ("disagrees", DISAGREE) if self.verdict == DISAGREE else ("is undecided", UNDECIDED)
        named = [name for name in failed if self.reports[name].verdict == of_those]
        others = f" and {len(named) - 1} more" if len(named) > 1 else ""
        verb = verb if len(named) == 1 else {"disagrees": "disagree", "is undecided": "are undecided"}[verb]
        subject = f"{self.verdict.upper()}: {shown_name(named[0])}{others}"
        return f"{subject} {verb}; {count - len(failed)} of {count} checks passed."

    def _list(self) -> str:
        lines = [f"{shown_name(name)}: {first_line(report)}" for name, report in self.reports.items()]
        lines += [f"not checked: {said}" for said in self.unchecked]
        return "\n".join([*lines, *(f"note: {note}" for note in self.notes)])

    def _details(self) -> list[str]:
        """The reports that did not pass; of what failed at several points the first alone."""
        parts, seen = [], set()
        for name, report in self.failed.items():
            what = (name.rpartition(AT)[0] or name, report.verdict)
            if what not in seen:
                parts.append(f"{_underlined(shown_name(name))}\n{report}")
            seen.add(what)
        return parts

    def to_json(self, path: str | PathLike[str] | None = None) -> str:
        """All reports as one JSON object with a version field, also written to `path` if one is given."""
        document = {
            "format": FORMAT,
            "version": VERSION,
            "verdict": self.verdict,
            "reports": {name: json.loads(report.to_json()) for name, report in self.reports.items()},
            "notes": list(self.notes),
            "unchecked": list(self.unchecked),
        }
        text = json.dumps(document, indent=2, allow_nan=False)
        if path is not None:
            write_whole(path, text + "\n")
        return text

    def to_html(self, path: str | PathLike[str] | None = None, title: str = "") -> str:
        """All reports as one HTML page, also written to `path` if one is given; see Report.to_html."""
        from fastgrad.report.html.page import page_of_several

        text = page_of_several(self.reports, self.verdict, *self._said(), title)
        if path is not None:
            write_whole(path, text)
        return text

    def _repr_html_(self) -> str:
        """What a notebook shows: the verdict over all, and that of each check."""
        from fastgrad.report.html.notebook import cell_of_several

        return cell_of_several(self.reports, self.verdict, *self._said())

    def _said(self) -> tuple[str, list[str]]:
        """The first sentence without its word, and what is said below the list of checks."""
        said = [*(f"not checked: {one}" for one in self.unchecked), *self.notes]
        return self._headline().partition(": ")[2], said

    def raise_if_failed(self) -> None:
        """Raise GradientError with this text unless the verdict is "agree"."""
        if not self.passed:
            raise GradientError(self)


def first_line(report: Report) -> str:
    """The verdict of a report in one line."""
    return str(report).partition("\n")[0]


def _underlined(title: str) -> str:
    return f"{title}\n{'-' * len(title)}"
