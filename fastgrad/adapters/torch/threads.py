"""How many threads torch uses for one operation during a check.

A check calls a small cost very often. An operation of some microseconds then waits for its threads longer
than it computes: batch normalisation of 35 numbers took 13 ms on two busy cores, and 10 microseconds on one.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Any

WORTH_THREADS = 0.02
"""Seconds of one call on one thread from which it is tried with as many threads as torch has."""

FASTER = 0.8
"""The share of the time on one thread that it must then take at most."""


@contextlib.contextmanager
def threads_held(call: Callable[[], Any]) -> Iterator[int]:
    """Hold torch to one thread, unless a call is long and faster with more; put back afterwards.

    Parameters
    ----------
    call : what is called often
    """
    import torch

    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        call()
        alone = _seconds(call)
        if before > 1 and alone > WORTH_THREADS:
            torch.set_num_threads(before)
            if _seconds(call) > FASTER * alone:
                torch.set_num_threads(1)
        yield torch.get_num_threads()
    finally:
        torch.set_num_threads(before)


def _seconds(call: Callable[[], Any]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began
