"""The error of each coordinate as one of eight levels, which pictures show as colours.

A level is the error over what was allowed, in decades; a verdict never shows the other side's colour.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fastgrad.arrays import Floats

if TYPE_CHECKING:
    from fastgrad.report.data import ReportData

EDGES = (0.01, 0.1, 1.0, 10.0, 100.0)
"""Errors over allowed at which the next level begins."""

NOT_CHECKED, UNDECIDED_LEVEL = 0, 4
"""Numbered so that the larger level wins where several coordinates share a cell: wrong, undecided, right."""

MEANINGS = (
    "not checked",
    "error up to 1% of what is allowed",
    "error up to 10% of what is allowed",
    "error up to all that is allowed",
    "undecided",
    "wrong: up to 10 times what is allowed",
    "wrong: up to 100 times what is allowed",
    "wrong: more than 100 times what is allowed",
)
"""What each level means, for legends: a legend has those that are there alone."""

FIRST_WRONG = 5

Levels = npt.NDArray[np.uint8]


def levels_of(report: ReportData) -> Levels:
    """The level of each checked coordinate (m,)."""
    ratio = error_over_allowed(report)
    decade = np.searchsorted(EDGES, ratio).astype(np.uint8)  # 0 to 5
    right = np.minimum(decade, 2) + 1
    wrong = np.maximum(decade, 3) + (FIRST_WRONG - 3)
    found = np.where(report.states == WRONG, wrong, right).astype(np.uint8)
    found[report.states == UNDECIDED] = UNDECIDED_LEVEL
    return found


def error_over_allowed(report: ReportData) -> Floats:
    """(m,) |claimed - numeric| over what is allowed; infinite where one of them is not known."""
    with np.errstate(all="ignore"):
        ratio = np.abs(report.claimed - report.numeric) / report.allowed
    ratio[np.isnan(ratio)] = np.inf  # 0 / 0 where nothing is off and nothing allowed, or a claimed NaN
    ratio[report.claimed == report.numeric] = 0.0
    return np.asarray(ratio)


RIGHT, UNDECIDED, WRONG = 0, 1, 2
"""The states of a coordinate, in `ReportData.states`."""
