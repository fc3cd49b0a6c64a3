"""Timing that survives a noisy machine: things compared are timed in turns, and medians are taken."""

from __future__ import annotations

import statistics

from fastgrad.cli.bench.measure import in_turns

__all__ = ["in_turns", "median_ratio"]


def median_ratio(seconds: dict[str, list[float]], above: str, below: str) -> float:
    """The median over rounds of one function's seconds over another's, both of the same round."""
    return statistics.median(a / b for a, b in zip(seconds[above], seconds[below], strict=True))
