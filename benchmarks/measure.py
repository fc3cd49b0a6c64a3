"""Timing that survives a noisy machine: things compared are timed in turns, and medians are taken."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any


def in_turns(functions: dict[str, Callable[[], Any]], rounds: int) -> dict[str, list[float]]:
    """The seconds of each function in each round, all functions in turn within a round."""
    seconds: dict[str, list[float]] = {name: [] for name in functions}
    for _ in range(rounds):
        for name, function in functions.items():
            began = time.perf_counter()
            function()
            seconds[name].append(time.perf_counter() - began)
    return seconds


def median_ratio(seconds: dict[str, list[float]], above: str, below: str) -> float:
    """The median over rounds of one function's seconds over another's, both of the same round."""
    return statistics.median(a / b for a, b in zip(seconds[above], seconds[below], strict=True))
