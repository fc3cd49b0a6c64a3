"""What a waiting user is told, and that nobody else is."""

from __future__ import annotations

import sys
import time

import numpy as np

import fastgrad
from fastgrad import progress
from fastgrad.engines.network import NetworkEngine


def wait_until(said, capsys):
    """What stderr got once it got anything; the test's own time-out is the limit."""
    text = ""
    while said and not text:
        time.sleep(0.001)
        text = capsys.readouterr().err
    return text or capsys.readouterr().err


class TestAnnounced:
    def test_says_what_takes_long(self, capsys, monkeypatch):
        """What takes longer than a user's patience is named on stderr."""
        monkeypatch.setattr(progress, "PATIENCE", 0.0)
        with progress.announced("compiling", True):
            assert wait_until(True, capsys) == "fastgrad: compiling ...\n"

    def test_says_nothing_of_what_is_quick(self, capsys):
        """Work done within a user's patience is done in silence."""
        with progress.announced("compiling", True):
            pass
        assert capsys.readouterr().err == ""

    def test_says_nothing_where_nobody_looks(self, capsys, monkeypatch):
        """Off a terminal nothing is said unless it was asked for, and never where there is nothing to say."""
        monkeypatch.setattr(progress, "PATIENCE", 0.0)
        monkeypatch.setattr(sys.stderr, "isatty", lambda: False, raising=False)
        for what, show in (("compiling", None), ("compiling", False), ("", True)):
            with progress.announced(what, show):
                time.sleep(0.01)
        assert capsys.readouterr().err == ""

    def test_compiling_kernels_is_said(self, capsys, monkeypatch):
        """A check of a network that has to compile its kernels says so, and that it happens once."""
        monkeypatch.setattr(progress, "PATIENCE", 0.0)
        told = []
        monkeypatch.setattr(
            NetworkEngine, "baseline", lambda engine: told.append(wait_until(not told, capsys)) or 1.0
        )
        net = fastgrad.Network([fastgrad.Dense(2, 2)], fastgrad.HalfSquaredError())
        problem = net.problem(net.initial_parameters(), np.ones((1, 2)), np.ones((1, 2)))
        fastgrad.check(problem, progress=True)
        assert "compiling kernels for this kind of network, once" in told[0]
