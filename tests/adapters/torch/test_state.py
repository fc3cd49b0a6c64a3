"""What a call changes is put back."""

from __future__ import annotations

import contextlib
import copy
import random

import numpy as np
from torch_cases import drawn, torch

import fastgrad
from fastgrad.adapters.torch.state import SameStart, ask_again_inside, generators_kept, same_every_time


def draws():
    """A number of each generator."""
    return random.random(), np.random.rand(), torch.rand(()).item()  # noqa: NPY002


def test_generators():
    """After the block all generators go on as if nothing had been drawn, also after an exception."""
    with generators_kept():
        expected = draws()
    with contextlib.suppress(KeyError), generators_kept():
        draws()
        raise KeyError
    with generators_kept():
        assert draws() == expected
        assert draws() != expected


class Counts(torch.nn.Module):
    """Adds to one buffer, replaces another, leaves the third alone, draws, and writes to its input."""

    def __init__(self):
        super().__init__()
        for name in ("added", "replaced", "alone"):
            self.register_buffer(name, torch.zeros(2))

    def forward(self, x):
        """Do all that."""
        self.added += 1
        self.replaced = self.replaced + 1
        x *= 2
        return (x + self.added + self.replaced + torch.rand(2)).sum()


def test_same_start():
    """Each call starts as the first one did, and what a call leaves alone is not put back."""
    module, x = Counts(), drawn(2)
    start = SameStart([module], [x])
    first = module(x)
    start.learn()
    assert module(x) != first  # the twin
    found = []
    for _ in range(3):
        start.put_back()
        found.append(module(x))
    assert found == [first] * 3
    assert {entry[1] for entry in start.buffers} == {"added", "replaced"}


def test_batch_normalisation():
    """In training mode it leaves its statistics alone and gives the same as before."""
    layer, X = torch.nn.BatchNorm1d(3).double(), drawn(5, 3)
    expected = layer(X)
    same_every_time(layer)
    assert torch.equal(layer(X), expected)
    assert layer.running_mean is None
    frozen = torch.nn.BatchNorm1d(3).eval()
    same_every_time(frozen)
    assert frozen.running_mean is not None


def test_asked_again_without_a_trace():
    """What a report calls later is called with graphs recorded, and generators are put back."""
    report = fastgrad.check_gradient(lambda x: float(np.sum(np.exp(x))), np.exp, np.ones(2))
    ask_again_inside(report, ())
    with generators_kept():
        expected = draws()
    with torch.no_grad(), report.revisit.called():
        assert torch.is_grad_enabled()
        draws()
    assert draws() == expected
    ask_again_inside(report, (), by_copies=False)
    assert report.step_curves().curves == ()
    assert ask_again_inside(copy.copy(report), ()) is None
