"""The user's files are read from their source."""

from __future__ import annotations

import importlib.util
import os

from fastgrad.cli.source_loader import SourceLoader


def value_in(path, loader):
    """X in a module of this file, imported by a loader."""
    spec = importlib.util.spec_from_file_location("read_by_a_test", path, loader=loader)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.X


def saved_twice_in_a_second(path, monkeypatch, loader):
    """What is read after each of two saves that Python takes for one: of the same second and size."""
    monkeypatch.setattr("sys.dont_write_bytecode", False)
    found = []
    for text in ("X = 1.0", "X = 2.0"):
        path.write_text(text)
        os.utime(path, (1e9, 1e9))
        found.append(value_in(path, loader("read_by_a_test", str(path))))
    return found


def test_two_saves_within_a_second(tmp_path, monkeypatch):
    """The second is read, and nothing is kept beside the file."""
    assert saved_twice_in_a_second(tmp_path / "file.py", monkeypatch, SourceLoader) == [1.0, 2.0]
    assert [path.name for path in tmp_path.iterdir()] == ["file.py"]


def test_python_alone_misses_it(tmp_path, monkeypatch):
    """The twin: Python's own loader gives the first version again."""
    own = importlib.machinery.SourceFileLoader
    assert saved_twice_in_a_second(tmp_path / "file.py", monkeypatch, own) == [1.0, 1.0]
