"""Fixtures that several tests of execution share."""

from __future__ import annotations

import pytest

from fastgrad.execution import chunks
from fastgrad.execution import evaluate as evaluate_module


@pytest.fixture
def path(tmp_path):
    """Where a checkpoint may be made."""
    return tmp_path / "run.checkpoint"


@pytest.fixture
def many_short_chunks(monkeypatch):
    """Hand over even short work, so that small tests really run in parallel."""
    monkeypatch.setattr(chunks, "PILOT_SECONDS", {"threads": 0.0, "processes": 0.0, "cluster": 0.0})
    monkeypatch.setattr(evaluate_module, "WORTH_STARTING", {"threads": 0.0, "processes": 0.0, "cluster": 0.0})
    monkeypatch.setattr(chunks, "SHORTEST_CHUNK", {"threads": 1e-5, "processes": 1e-5, "cluster": 1e-5})
