"""The status line of `fastgrad bench`."""

from __future__ import annotations

import io
import threading

from fastgrad.cli.bench.status import status_line


class Terminal(io.StringIO):
    """A terminal that keeps what is written to it."""

    def isatty(self):
        """Always."""
        return True


def test_on_a_terminal(monkeypatch):
    """Each call shows what is measured and how many of the engines it is; no thread is started."""
    monkeypatch.setenv("TERM", "xterm")
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    before = threading.active_count()
    with status_line() as say:
        for k, name in enumerate(("python", "batched"), 1):
            say(f"the {name} engine")
            assert f"fastgrad: measuring the {name} engine, {k} of 4" in terminal.getvalue()
            assert threading.active_count() == before


def test_elsewhere(capsys):
    """Where stderr is no terminal nothing is shown."""
    with status_line() as say:
        say("the python engine")
    assert capsys.readouterr() == ("", "")


def test_without_stderr(monkeypatch):
    """A process without stderr can measure too."""
    monkeypatch.setattr("sys.stderr", None)
    with status_line() as say:
        say("the python engine")
