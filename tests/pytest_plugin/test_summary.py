"""The lines of the summary."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

from fastgrad.pytest_plugin.properties import Check, as_properties
from fastgrad.pytest_plugin.summary import Summary, summary_lines

FAST = Check("agree", 1e-9, 3, 126, 0.01)
SLOW = Check("disagree", 1e-2, 1000, 5000, 2.5)
KINK = Check("undecided", 0.0, 2, 40, 0.02, "x[0]: kink: it is one")


class Written:
    """What a terminal reporter is given."""

    def __init__(self):
        self.lines = []

    def write_sep(self, character, title):
        """Keep a title."""
        self.lines.append(f"{character} {title}")

    def write_line(self, line):
        """Keep a line."""
        self.lines.append(line)


def told(test, *checks, worker=None):
    """What pytest reports of a test: with its properties, and the worker that it ran on."""
    properties = [one for k, check in enumerate(checks, 1) for one in as_properties(check, k)]
    node = SimpleNamespace(gateway=SimpleNamespace(id=worker))
    return SimpleNamespace(nodeid=test, user_properties=properties, **({"node": node} if worker else {}))


def printed(*reports):
    """What is printed after some reports."""
    summary, written = Summary(None), Written()
    for report in reports:
        summary.pytest_runtest_logreport(report)
    summary.pytest_terminal_summary(written)
    return written.lines


class TestLines:
    def test_counts_and_slowest(self):
        """Sums of all checks, the slowest first, and the undecided with their reasons."""
        assert summary_lines([("a", FAST), ("b", SLOW), ("c", KINK), ("d", FAST)], None) == [
            "4 checks: 2 agree, 1 disagree, 1 undecided; 1,008 coordinates, 5,292 evaluations, 2.54 s",
            "slowest: 2.50 s b",
            "slowest: 0.02 s c",
            "slowest: 0.01 s a",
            "undecided: c: x[0]: kink: it is one",
        ]

    def test_one(self):
        """One check is no checks."""
        assert summary_lines([("a", Check("agree", 0.0, 1, 1, 0.0))], Path("out")) == [
            "1 check: 1 agree; 1 coordinate, 1 evaluation, 0.00 s",
            "slowest: 0.00 s a",
            "reports: 1 check in out",
        ]

    def test_many_undecided(self):
        """Of many undecided checks twenty are listed, and the others counted."""
        lines = summary_lines([(f"test {k}", KINK) for k in range(1234)], None)
        assert sum(line.startswith("undecided: ") for line in lines) == 20
        assert lines[-1] == "... and 1,214 more undecided"

    def test_printable(self):
        """Names of tests and folders do not act on the terminal."""
        lines = summary_lines([("a\x1b[31m\nb", KINK)], Path("out\x1b"))
        assert "undecided: a\\x1b[31m\\nb: x[0]: kink: it is one" in lines
        assert not any("\x1b" in line or "\n" in line for line in lines)

    def test_not_written(self):
        """Reports that could not be written are counted, and the first one says why."""
        lost = Check("agree", 0.0, 1, 1, 0.0, "", "disk full")
        assert summary_lines([("a", FAST), ("b", lost), ("c", lost)], Path("out"))[-2:] == [
            "reports: 1 check in out",
            "2 reports not written; of b: disk full",
        ]


class TestGathering:
    def test_each_once(self):
        """A test is reported after set-up, call and teardown, each time with all that it found by then."""
        reports = told("a"), told("a", FAST), told("a", FAST, KINK), told("b", FAST)
        assert printed(*reports)[:2] == [
            "= fastgrad",
            "3 checks: 2 agree, 1 undecided; 8 coordinates, 292 evaluations, 0.04 s",
        ]

    def test_the_same_test_on_two_workers(self):
        """Where each worker runs all tests, all of them count."""
        assert "2 checks" in printed(told("a", FAST, worker="gw0"), told("a", FAST, worker="gw1"))[1]

    def test_nothing(self):
        """Without checks there is no section, whatever properties tests have."""
        other = SimpleNamespace(nodeid="a", user_properties=[("verdict", "theirs")])
        assert printed(told("a"), other, SimpleNamespace(nodeid="b")) == []
