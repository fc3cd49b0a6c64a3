"""Whether it is worth while to record a cost: asked before anything of this package is loaded."""

from __future__ import annotations

EACH = 2.5
"""Evaluations of a coordinate (strategy/forecast.py)."""

WORTH_RECORDING = 0.1
"""Seconds of predicted work from which a cost is recorded. Recording takes as long as some calls of the cost,
10 ms the first time, and so does comparing."""

COMPARED = 18
"""Evaluations that it takes to trust a tape (trust.py)."""

SHARE = 16
"""A cost is recorded where it is to be evaluated so many times more often than that."""


def is_worth_recording(seconds: float, count: float) -> bool:
    """Whether a cost is evaluated long enough.

    Parameters
    ----------
    seconds : what one evaluation was seen to take
    count : coordinates that are to be evaluated
    """
    return EACH * count * seconds >= WORTH_RECORDING and EACH * count >= SHARE * COMPARED
