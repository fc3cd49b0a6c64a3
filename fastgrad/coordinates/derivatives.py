"""What was measured of the moved coordinates, seen from the user's: derivatives, bounds, verdicts."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from fastgrad.arrays import IndexArray
from fastgrad.coordinates.table import CONFIRMED, CoordinateTable
from fastgrad.coordinates.undecided import Causes
from fastgrad.differences.bounds import Estimates
from fastgrad.engines.protocol import Engine
from fastgrad.engines.space import carried
from fastgrad.index_sets import positions_of
from fastgrad.preflight.cost import Baseline
from fastgrad.problem.claim import ClaimedValues
from fastgrad.problem.parameters import Parameters
from fastgrad.verdict.rule import Comparison, compare


@dataclass(frozen=True, eq=False)
class Measured:
    """What was measured, of the user's coordinates, whatever was moved."""

    start: Baseline
    engine: Engine
    indices: IndexArray
    claim: ClaimedValues | None
    estimates: Estimates
    comparison: Comparison
    causes: Causes
    noise: dict[str, float]
    evaluations: int
    n_jobs: int
    notes: tuple[str, ...]
    witnesses: tuple[str, ...]
    z: float


@dataclass(eq=False)
class Derivatives:
    """What was measured of the moved coordinates, seen from the user's."""

    engine: Engine
    parameters: Parameters
    indices: IndexArray
    measured: CoordinateTable
    claim: ClaimedValues | None
    tolerance: float | None
    seen: dict[str, Any] = field(default_factory=dict)
    """The latest estimates and verdict, and of which version of `measured` they are."""

    def estimates(self) -> Estimates:
        """The user's derivatives, from what is known of the moved ones as it stands."""
        return self._latest()[0]

    def judge(self) -> Comparison:
        """The verdict as it stands. Without a claim the estimate is its own: what counts is its bound."""
        return self._latest()[1]

    def _latest(self) -> tuple[Estimates, Comparison]:
        if self.seen.get("version") != self.measured.version:
            self.seen.clear()  # as large as what takes its place
            found = self._estimates()
            claimed = np.nan_to_num(found.numeric) if self.claim is None else self.claim.values
            comparison = compare(claimed, found, self.indices, self.parameters, self.tolerance)
            comparison = self._cut_short(comparison)
            self.seen.update(version=self.measured.version, latest=(found, comparison))
        latest: tuple[Estimates, Comparison] = self.seen["latest"]
        return latest

    def _cut_short(self, comparison: Comparison) -> Comparison:
        """What looks wrong but was not confirmed, for the budget was over, is undecided."""
        cut = self.measured.cut & (self.measured.level < CONFIRMED)
        if not cut.any():
            return comparison
        if self.engine.space.is_plain:
            cut = cut[self.needed(np.arange(len(self.indices)))]
        else:
            cut = np.full(len(self.indices), True)
        unsure = comparison.wrong & cut & np.isfinite(comparison.severity)
        return replace(comparison, wrong=comparison.wrong & ~unsure, undecided=comparison.undecided | unsure)

    def _estimates(self) -> Estimates:
        m = self.measured
        numeric, bound, rms = carried(
            m.numeric, m.error_bound, m.plan.indices, self.engine.space, self.parameters, self.indices
        )
        if self.claim is not None and self.claim.jitter.any():
            bound = bound + self.claim.jitter  # what the claim itself is not known to
        return Estimates(numeric, bound, rms, m.plan.stencil.is_complex, m.steepest)

    def needed(self, positions: IndexArray) -> IndexArray:
        """The positions among the moved coordinates that some of the user's depend on."""
        if len(positions) == 0:
            return positions
        moved = self.engine.space.needed(self.indices[positions])
        at = positions_of(self.measured.plan.indices, moved)
        return np.arange(at.start, at.stop) if isinstance(at, slice) else at
