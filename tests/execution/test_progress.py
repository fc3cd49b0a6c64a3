"""What a waiting user is told, and that nobody else is."""

from __future__ import annotations

import sys
import time

import numpy as np

import fastgrad
from fastgrad.engines.network.engine import NetworkEngine
from fastgrad.execution import progress


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


class TestTally:
    def test_the_bar(self, capsys):
        """The bar shows how many are done, the rate, the time left, and how many agree by their first values.

        What looks wrong by these is not called wrong before it was confirmed.
        """
        x = np.random.default_rng(0).normal(size=400)
        g = np.cos(x)
        g[:3] += 0.5
        fastgrad.check_gradient(lambda x: float(np.sum(np.sin(x))), g, x, progress=True)
        said = capsys.readouterr().err
        assert "checking gradient" in said
        assert "400/400" in said
        assert "/s left" in said
        assert "agree 397  to look at again 3" in said

    def test_narrow_terminals_show_numbers(self):
        """Where there is no room for both, the bar goes and the numbers stay."""
        assert len(progress._columns(80)) == len(progress._columns(160)) - 1

    def test_each_stage(self, capsys):
        """Probes, subset and search have a bar each."""
        x = np.random.default_rng(0).normal(size=4000)
        fastgrad.check_gradient(
            lambda x: float(np.sum(np.sin(x))), np.cos, x, progress=True, probes=20, wrong_fraction=0.1
        )
        said = capsys.readouterr().err
        for stage in ("random probes", "checking a subset", "searching"):
            assert stage in said

    def test_silent(self, capsys):
        """Without a terminal, or where it was not wanted, there is none."""
        x = np.linspace(0, 1, 40)
        for shown in (None, False):
            fastgrad.check_gradient(lambda x: float(np.sum(np.sin(x))), np.cos, x, progress=shown)
        assert capsys.readouterr().err == ""

    def test_numbers_told_outside_of_a_stage(self, capsys):
        """What is told while no bar is shown is not said, but a sentence is."""
        tally = progress.Progress(True)
        tally.advance(3)
        tally.tell(1, 2, 3)
        tally.say("this takes long")
        assert capsys.readouterr().err == "fastgrad: this takes long\n"
