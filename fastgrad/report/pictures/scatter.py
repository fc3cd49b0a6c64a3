"""What was claimed against what differences gave, a point for each coordinate.

Both axes have one scale. It is linear, or, where values differ by orders of magnitude, logarithmic on both
sides of zero: asinh(v / threshold).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fastgrad.arrays import Bools, Floats, IndexArray

if TYPE_CHECKING:
    from fastgrad.report.data import ReportData

from fastgrad.report.pictures.levels import RIGHT, WRONG, error_over_allowed

DECADES = 2.0
"""Values that differ by more are shown on a logarithmic scale."""

MOST_DECADES = 9.0
"""What is smaller by more than this is drawn at zero."""

SMALL = 0.05
"""The quantile of |v| from which the scale is logarithmic."""

ROOM = 1.05
"""The frame in units of the largest value: no mark is cut by it."""

MARKED = 300
"""Wrong or undecided coordinates that have a mark of their own, of each kind."""


@dataclass(frozen=True, eq=False)
class Scatter:
    """Points that can be drawn, and how many cannot."""

    claimed: Floats
    numeric: Floats
    right: Bools
    """(m,) which agree; the others are marked one by one."""
    wrong: Bools
    severity: Floats
    """(m,) the error over what is allowed."""
    threshold: float
    """Where the logarithmic scale becomes linear; 0 for a linear scale."""
    limit: float
    """Where the axes end, a little beyond the largest value."""
    left_out: int
    """Coordinates of which one of the two numbers is not finite."""

    @property
    def marked(self) -> tuple[IndexArray, IndexArray]:
        """Which undecided and which wrong ones have a mark, the worst of each."""
        undecided, wrong = (np.flatnonzero(which) for which in (~self.right & ~self.wrong, self.wrong))
        return _worst(undecided, self.severity), _worst(wrong, self.severity)

    def unit(self, values: Floats) -> Floats:
        """Values as places from -1 to 1 on either axis."""
        if not self.threshold:
            return values / self.limit
        return np.asarray(np.arcsinh(values / self.threshold) / np.arcsinh(self.limit / self.threshold))


def scatter(report: ReportData, of: slice = slice(None)) -> Scatter | None:
    """The points of a report, or of some of its checked coordinates; None where there is none."""
    finite = np.isfinite(report.claimed) & np.isfinite(report.numeric)
    left_out = int(len(finite[of]) - np.count_nonzero(finite[of]))
    chosen = np.zeros_like(finite)
    chosen[of] = True
    finite &= chosen
    claimed, numeric, states = report.claimed[finite], report.numeric[finite], report.states[finite]
    if not len(claimed):
        return None
    threshold, limit = _scale(claimed, numeric)
    severity = error_over_allowed(report)[finite]
    return Scatter(claimed, numeric, states == RIGHT, states == WRONG, severity, threshold, limit, left_out)


def _worst(positions: IndexArray, severity: Floats) -> IndexArray:
    """Those MARKED positions at which the severity is largest, in order."""
    if len(positions) > MARKED:
        positions = positions[np.argpartition(-severity[positions], MARKED)[:MARKED]]
    return np.sort(positions)


def _scale(claimed: Floats, numeric: Floats) -> tuple[float, float]:
    """The threshold of a logarithmic scale, 0 for a linear one; and the largest value."""
    sizes = np.abs(np.concatenate((claimed, numeric)))
    limit = float(sizes.max())
    sizes = sizes[sizes > 0]
    if not len(sizes):
        return 0.0, 1.0
    small = float(np.quantile(sizes, SMALL))
    if limit <= small * 10**DECADES:
        return 0.0, ROOM * limit
    decade = np.floor(np.log10(max(small, limit * 10**-MOST_DECADES)))
    return float(10**decade), ROOM * limit
