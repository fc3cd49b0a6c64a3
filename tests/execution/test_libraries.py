"""Whose code it is: the user's, or that of Python, fastgrad and installed packages."""

from __future__ import annotations

import dis
import sys
import types

import numpy as np
import pytest

import fastgrad
from fastgrad.execution import libraries
from fastgrad.execution.libraries import attribute, is_library, is_library_file


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        (np.__file__, True),
        (dis.__file__, True),
        (libraries.__file__, True),
        ("<frozen importlib._bootstrap>", True),
        ("/opt/dist-packages/thing.py", True),
        (__file__, False),
        ("<string>", False),
        ("/tmp/ipykernel_1/1.py", False),
        ("model.py", False),
    ],
)
def test_files(file, expected):
    """What is installed is a library's; scripts, notebooks and text that was run are the user's."""
    assert is_library_file(file) == expected


def test_modules(monkeypatch):
    """A module is a library's by its file, or for being built in; one without a file is the user's."""
    monkeypatch.setitem(sys.modules, "made", types.ModuleType("made"))
    for module in ("numpy", "math", "sys", "fastgrad.checks"):
        __import__(module)
        assert is_library(module), module
    for module in ("__main__", "made", "not_loaded", None):
        assert not is_library(module), module


def test_attributes():
    """An attribute that is not there, or raises an error of its own, is None."""

    class Lazy:
        @property
        def broken(self):
            raise ImportError

    assert attribute(fastgrad, "check") is fastgrad.check
    assert attribute(fastgrad, "nothing") is None
    assert attribute(Lazy(), "broken") is None
