"""Tests of the torch adapter: torch has one thread, for whose tiny operations more cost milliseconds each."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def one_thread():
    """Hold torch to one thread."""
    torch = pytest.importorskip("torch")
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
