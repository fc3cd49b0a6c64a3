"""How many threads torch has during a check."""

from __future__ import annotations

import contextlib

import pytest
from torch_cases import torch

from fastgrad.adapters.torch import threads
from fastgrad.adapters.torch.threads import threads_held


@pytest.fixture(autouse=True)
def two_threads():
    """torch with two threads, and what it had afterwards."""
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def test_a_short_call():
    """A short call has one thread, and torch has two again afterwards, also after an exception."""
    with contextlib.suppress(KeyError), threads_held(lambda: None) as held:
        assert held == torch.get_num_threads() == 1
        raise KeyError
    assert torch.get_num_threads() == 2


@pytest.mark.parametrize(("with_two", "held"), [(0.1, 2), (0.9, 1)])
def test_a_long_call(monkeypatch, with_two, held):
    """A long call has the threads with which it was seen to be faster."""
    monkeypatch.setattr(threads, "_seconds", lambda call: {1: 1.0, 2: with_two}[torch.get_num_threads()])
    with threads_held(lambda: None) as found:
        assert found == torch.get_num_threads() == held
