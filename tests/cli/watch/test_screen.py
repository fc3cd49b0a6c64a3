"""What is printed of each check."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from watch_cases import found

from fastgrad.cli.watch.screen import CLEAR, Outcome, Screen

ROOT = Path("/home/me/work")


class Terminal(io.StringIO):
    """A terminal that keeps what is written to it."""

    def isatty(self):
        """Always."""
        return True


def shown(*outcomes, stream=None, **options):
    """What is printed of some checks, at 10:00:01, 10:00:02, ..."""
    stream = stream or io.StringIO()
    times = iter(f"10:00:{k:02d}" for k in range(1, 60))
    screen = Screen(stream, ROOT, clock=lambda: next(times), **options)
    parts = []
    for k, outcome in enumerate(outcomes):
        start = len(stream.getvalue())
        screen.begin([ROOT / "net.py"] if k else [])
        screen.show(outcome if isinstance(outcome, Outcome) else Outcome(outcome))
        parts.append(stream.getvalue()[start:])
    return parts


def test_first_check():
    """The first check says the time, the verdict and the table, and nothing of a change."""
    [text] = shown(found())
    lines = text.splitlines()
    assert lines[0] == "--- 10:00:01 --- first check"
    assert lines[1].startswith("AGREE")
    assert lines[3].startswith("block ")
    assert "since" not in text


def test_a_save():
    """A line that says when and what was saved, the verdict, and what changed: each on its own line."""
    text = shown(found({"W": {0: 1, 1: 1}}), found({"W": {1: 1}}))[1]
    assert text.splitlines()[:5] == [
        "",
        "--- 10:00:02 --- saved: net.py",
        "DISAGREE: 1 of 9 checked coordinates is wrong; it is W[0, 1]: claimed 2, numeric 1.",
        "since the last run: fewer wrong in W (2 wrong -> 1)",
        "  right now: W[0, 0]",
    ]


def test_the_table_only_where_it_says_something():
    """Where nothing changed what stands above is not repeated; other blocks, or a wrong one, have a table."""
    right, wrong, other = found(), found({"W": {0: 1}}), found(sizes={"W": (9,)})
    texts = shown(right, right, wrong, wrong, right, other)
    assert ["block " in text for text in texts] == [True, False, True, False, True, True]


def test_after_checks_without_a_report():
    """What changed is said since the last report, with its time where another check came in between."""
    failed = Outcome(None, "fastgrad: net.py does not import")
    texts = shown(found(), failed, failed, found({"b": {0: 1}}), found())
    assert texts[1].splitlines()[-1] == "fastgrad: net.py does not import"
    assert "since the check at 10:00:01: AGREE -> DISAGREE, broke b (0 -> 1 wrong)" in texts[3]
    assert "since the last run: DISAGREE -> AGREE" in texts[4]


def test_no_report_before():
    """After a first check without a report nothing is said of a change."""
    assert "since" not in shown(Outcome(None, "failed"), found())[1]


def test_full():
    """With full the whole report is printed each time."""
    texts = shown(found(), found(), full=True)
    assert ["evaluations in" in text for text in texts] == [True, True]
    assert ["evaluations in" in text for text in shown(found())] == [False]


@pytest.mark.parametrize(
    ("stream", "clear", "cleared"),
    [(Terminal, True, True), (Terminal, False, False), (io.StringIO, True, False)],
)
def test_clear(stream, clear, cleared):
    """Only a terminal is cleared, and only if it is asked for; no other escape is ever printed."""
    texts = shown(found(), found(), stream=stream(), clear=clear)
    assert [text.startswith(CLEAR) for text in texts] == [cleared, cleared]
    assert "\x1b" not in "".join(texts).replace(CLEAR, "")


def test_files_are_named_from_the_folder():
    """Files below the folder by their path from it, at most four; a hostile name is escaped."""
    stream = io.StringIO()
    screen = Screen(stream, ROOT, clock=lambda: "10:00:01")
    screen.watching(
        [ROOT / "net.py", ROOT / "pkg" / "a.py", Path("/other/b.py"), ROOT / "c\x1b.py", ROOT / "d.py"]
    )
    assert stream.getvalue() == "watching net.py, pkg/a.py, /other/b.py, c\\x1b.py and 1 more; Ctrl-C ends\n"


def test_watching_is_said_once():
    """The files are said again only when others came."""
    stream = io.StringIO()
    screen = Screen(stream, ROOT)
    for files in (["a.py", "b.py"], ["a.py"], ["a.py", "c.py"]):
        screen.watching([ROOT / name for name in files])
    assert stream.getvalue().splitlines() == [
        "watching a.py, b.py; Ctrl-C ends",
        "watching a.py, c.py; Ctrl-C ends",
    ]
