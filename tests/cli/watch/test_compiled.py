"""What Numba keeps on disk of the user's functions."""

from __future__ import annotations

import os
import sys
from types import SimpleNamespace

from fastgrad.cli.watch.compiled import VARIABLE, nothing_compiled_before


def test_each_time_another_folder(tmp_path, monkeypatch):
    """Inside, Numba is told a new and empty folder; afterwards what it was told before."""
    config = SimpleNamespace(CACHE_DIR="its own")
    monkeypatch.setitem(sys.modules, "numba.core.config", config)
    monkeypatch.setenv(VARIABLE, "its own")
    folders = set()
    for _ in range(2):
        with nothing_compiled_before(tmp_path):
            assert os.environ[VARIABLE] == config.CACHE_DIR
            assert os.listdir(config.CACHE_DIR) == []
            folders.add(config.CACHE_DIR)
        assert os.environ[VARIABLE] == config.CACHE_DIR == "its own"
    assert len(folders) == 2


def test_without_numba(tmp_path, monkeypatch):
    """Numba that is imported inside reads the variable; it is gone afterwards, and Numba is told nothing."""
    monkeypatch.delitem(sys.modules, "numba.core.config", raising=False)
    monkeypatch.delenv(VARIABLE, raising=False)
    config = SimpleNamespace(CACHE_DIR="")
    with nothing_compiled_before(tmp_path):
        config.CACHE_DIR = os.environ[VARIABLE]
        monkeypatch.setitem(sys.modules, "numba.core.config", config)
    assert VARIABLE not in os.environ
    assert config.CACHE_DIR == ""
