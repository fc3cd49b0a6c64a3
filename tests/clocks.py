"""A clock that stands still unless a test moves it: what depends on time is tested without waiting."""

from __future__ import annotations

import time

import pytest


class Clock:
    """Seconds, as time.perf_counter gives them: `now` is moved by costs and tests."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        """What time it is."""
        return self.now


@pytest.fixture
def clock(monkeypatch):
    """The clock by which fastgrad times everything."""
    clock = Clock()
    monkeypatch.setattr(time, "perf_counter", clock)
    return clock
