"""What the checks of a run came to, at its end: how many, how long, the slowest, the undecided ones.

Where pytest-xdist runs the tests, its workers send the properties of each test to the process that prints.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    import pytest

    from fastgrad.pytest_plugin.properties import Check

SLOWEST_SHOWN = 3
UNDECIDED_SHOWN = 20


class Summary:
    """Gathers the checks of each test, and prints them; prints nothing if there are none.

    Parameters
    ----------
    folder : where reports are kept, or None
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._checks: dict[tuple[str, str], list[Check]] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep what a test found by now; what comes later of the same test holds it too."""
        if not getattr(report, "user_properties", None):
            return
        from fastgrad.pytest_plugin.properties import checks_in

        if checks := checks_in(report.user_properties):
            worker = getattr(getattr(getattr(report, "node", None), "gateway", None), "id", "")
            self._checks[worker, report.nodeid] = checks

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print the section of fastgrad."""
        checks = [(test, check) for (_, test), found in self._checks.items() for check in found]
        if checks:
            terminalreporter.write_sep("=", "fastgrad")
            for line in summary_lines(checks, self._folder):
                terminalreporter.write_line(line)


def summary_lines(checks: Sequence[tuple[str, Check]], folder: Path | None) -> list[str]:
    """The summary in printable lines.

    Parameters
    ----------
    checks : at least one, each with the name of its test
    folder : where reports are kept, or None
    """
    from fastgrad.printable import printable

    lines = [_counts([check for _, check in checks]), *_slowest(checks), *_undecided(checks)]
    return [printable(line) for line in lines + _written(checks, folder)]


def _counts(checks: Sequence[Check]) -> str:
    verdicts = [check.verdict for check in checks]
    each = ", ".join(f"{verdicts.count(verdict):,} {verdict}" for verdict in sorted(set(verdicts)))
    coordinates = counted(sum(check.coordinates for check in checks), "coordinate")
    evaluations = counted(sum(check.evaluations for check in checks), "evaluation")
    seconds = sum(check.seconds for check in checks)
    return f"{counted(len(checks), 'check')}: {each}; {coordinates}, {evaluations}, {seconds:.2f} s"


def _slowest(checks: Iterable[tuple[str, Check]]) -> list[str]:
    slowest = sorted(checks, key=lambda one: -one[1].seconds)[:SLOWEST_SHOWN]
    return [f"slowest: {check.seconds:.2f} s {test}" for test, check in slowest]


def _undecided(checks: Iterable[tuple[str, Check]]) -> list[str]:
    found = [f"undecided: {test}: {check.reason}" for test, check in checks if check.is_undecided]
    hidden = len(found) - UNDECIDED_SHOWN
    return found[:UNDECIDED_SHOWN] + [f"... and {hidden:,} more undecided"] * (hidden > 0)


def _written(checks: Sequence[tuple[str, Check]], folder: Path | None) -> list[str]:
    if folder is None:
        return []
    lost = [f"of {test}: {check.not_written}" for test, check in checks if check.not_written]
    written = f"reports: {counted(len(checks) - len(lost), 'check')} in {folder}"
    return [written, *(f"{counted(len(lost), 'report')} not written; {first}" for first in lost[:1])]


def counted(count: int, what: str) -> str:
    """A number of things in words.

    Examples
    --------
    >>> counted(1, "check"), counted(2100, "check")
    ('1 check', '2,100 checks')
    """
    return f"{count:,} {what}{'' if count == 1 else 's'}"
