"""A session of `fastgrad watch` in this process, with saves that are made between its checks."""

from __future__ import annotations

import io
import sys
import textwrap

import pytest

from fastgrad.checks import check
from fastgrad.cli.signals import interruptible
from fastgrad.cli.watch.one_check import OneCheck
from fastgrad.cli.watch.screen import Screen
from fastgrad.cli.watch.session import run_session, sources_of

NET = """
    import numpy as np
    import fastgrad
    from w_layers import act, slope

    x = np.linspace(0.5, 1.5, 4)
    problem = fastgrad.Problem(
        lambda p: float(np.sum(act(p["W"])) + p["b"]),
        lambda p: {"W": slope(p["W"]), "b": 1.0},
        {"W": x, "b": 0.5},
    )
"""

LAYERS = """
    import numpy as np

    def act(z):
        return np.tanh(z)

    def slope(z):
        return 1 - np.tanh(z) ** 2
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with the two files, in which the process is; nothing of it stays imported."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    before = set(sys.modules)
    save(tmp_path / "w_net.py", NET)
    save(tmp_path / "w_layers.py", LAYERS)
    yield tmp_path
    for name in set(sys.modules) - before:
        if "w_" in name:
            del sys.modules[name]


def save(path, text, was="", now=""):
    """Save a text, with a part of it replaced, at once: nobody sees half of it."""
    text = textwrap.dedent(text)
    assert was in text
    new = path.with_suffix(".tmp")
    new.write_text(text.replace(was, now) if was else text)
    return new.replace(path)


def session(target, *saves, interrupts=None):
    """What a session prints of the first check, and after each save, which is made by a function."""
    sources = sources_of(target)
    stream = io.StringIO()
    ends = []

    def rounds():
        yield ()
        for make in saves:
            ends.append(len(stream.getvalue()))
            make()
            yield sources.saved()

    with interruptible() as found, sources.watched():
        one = OneCheck(lambda load: check(load(target)), sources, interrupts or found, sources.root)
        run_session(one, rounds(), Screen(stream, sources.root, clock=lambda: "now"), lambda: sources.files)
    text = stream.getvalue()
    return [text[i:j] for i, j in zip([0, *ends], [*ends, len(text)], strict=True)]
