"""Derivatives, bounds and verdicts of the user's coordinates, from what was measured of the moved ones.

The engine may move other points than the user's parameters, such as the nodes of a network. `Derivatives`
carries the table of what was moved over to the user's coordinates, and asks the rule for the verdict on each.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from fastgrad.arrays import Bools, Floats, IndexArray
from fastgrad.coordinates.table import CONFIRMED, CoordinateTable
from fastgrad.coordinates.undecided import Causes
from fastgrad.differences.bounds import Estimates, quantile
from fastgrad.differences.scales import magnitude
from fastgrad.engines.space import Space, carried
from fastgrad.index_sets import positions_of
from fastgrad.problem.claim import ClaimedValues, Noise
from fastgrad.problem.parameters import Parameters
from fastgrad.verdict.rule import Comparison, Evidence, compare, compare_by_tolerance

LITTLE_OF_ITSELF, LITTLE_OF_ALL = 0.05, 1e-3
"""A claim is off by little if it is by no more than this share of itself, or its effect of the largest
one."""


@dataclass(frozen=True, eq=False)
class Measured:
    """What came of measuring, at the user's (m,) coordinates: what the report is made from."""

    indices: IndexArray
    claim: ClaimedValues | None
    estimates: Estimates
    comparison: Comparison
    causes: Causes
    noise: dict[str, float]
    """The standard deviation of a value at each block's step, by block name."""
    single: bool
    """Whether the cost computes in float32."""
    notes: tuple[str, ...]
    steps: Floats | None = None
    """(m,) the step of the values that each estimate comes from, NaN where it is not known; None where other
    points than the user's parameters were moved."""
    noise_parts: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """By block name, the standard deviation of a value: a constant, and the part that grows with the offset.
    Empty where other points than the user's parameters were moved."""


@dataclass(eq=False)
class Derivatives:
    """The user's derivatives as far as they are known, and the verdict on each."""

    space: Space
    """What was moved, and how the user's derivatives follow from that."""
    parameters: Parameters
    """The user's."""
    indices: IndexArray
    """(m,) the user's coordinates that are measured, increasing."""
    table: CoordinateTable
    claim: ClaimedValues | None
    tolerance: float | None
    resolution: float
    subgradients_pass: bool = False
    """Whether a claim between the slopes on the two sides of a kink agrees."""
    noise: Noise | None = None
    """The noise of the gradient function, which can be measured."""
    _latest: tuple[int, Estimates, Comparison] | None = field(default=None, repr=False)
    """The latest version of the table that was judged, and what came of it."""

    def estimates(self) -> Estimates:
        """The user's derivatives with their bounds, as they stand."""
        return self._judged()[0]

    def judge(self) -> Comparison:
        """The verdict as it stands. Without a claim the estimate is its own, and its bound alone counts."""
        return self._judged()[1]

    def _judged(self) -> tuple[Estimates, Comparison]:
        if self._latest is None or self._latest[0] != self.table.version:
            self._latest = None  # as large as what takes its place
            found = self._estimates()
            comparison = self._cut_short(self._compared(found))
            self._latest = self.table.version, found, self._on_plateaus(comparison)
        return self._latest[1:]

    def looks_wrong(self) -> Bools:
        """(m,) which are wrong by what is known, whether that was confirmed or the budget ended before."""
        return self._compared(self.estimates()).wrong

    def _compared(self, found: Estimates) -> Comparison:
        table, size = self.table, self.sizes()
        claimed = np.nan_to_num(found.numeric) if self.claim is None else self.claim.values
        known = Evidence(
            claimed=claimed,
            numeric=found.numeric,
            error_bound=found.error_bound,
            rounding=self._rounding(),
            size=size,
            alike=magnitude(size),
            kink=self.flagged(table.kink),
            far=self.flagged(table.far),
            steepest=found.steepest,
            moves=table.moves,
            z=quantile(len(self.indices)),
        )
        if self.tolerance is None:
            return compare(known, self.resolution, self.subgradients_pass)
        numbers = self.parameters.block_numbers(self.indices)
        rms = found.block_rms[numbers]
        return compare_by_tolerance(known, rms, self.tolerance, self.subgradients_pass)

    def sizes(self) -> Floats:
        """(m,) the size of each of the user's parameters: where others were moved, that of its block."""
        if self.space.is_plain:
            return self.table.size[self._rows()]
        return self.parameters.typical_sizes[self.parameters.block_numbers(self.indices)]

    def _rounding(self) -> Floats:
        """(m,) what the claim's own arithmetic may be off by, or (1,) where there is none."""
        return np.zeros(1) if self.claim is None else self.claim.rounding(self.indices, self.parameters)

    def _cut_short(self, comparison: Comparison) -> Comparison:
        """The verdict, "undecided" for what looks wrong and was not confirmed before the budget ended."""
        cut = self.table.cut & (self.table.level < CONFIRMED) & ~self.table.agreed
        if not cut.any():
            return comparison
        cut = self.flagged(cut) if self.space.is_plain else np.full(len(self.indices), True)
        unsure = comparison.wrong & cut & np.isfinite(comparison.severity)
        return replace(comparison, wrong=comparison.wrong & ~unsure, undecided=comparison.undecided | unsure)

    def _on_plateaus(self, comparison: Comparison) -> Comparison:
        """The verdict, "undecided" for a claimed zero where the cost stands still at fine steps."""
        if not self.table.plateau.any() or self.claim is None:
            return comparison
        unsure = comparison.wrong & self.flagged(self.table.plateau) & (self.claim.values == 0)
        return replace(comparison, wrong=comparison.wrong & ~unsure, undecided=comparison.undecided | unsure)

    def _estimates(self) -> Estimates:
        table = self.table
        numeric, bound, rms = carried(
            table.numeric, table.error_bound, table.plan.indices, self.space, self.parameters, self.indices
        )
        if self.claim is not None and self.claim.jitter.any():
            bound = bound + self.claim.jitter  # what the claim itself is not known to
        return Estimates(numeric, bound, rms, table.plan.stencil.is_complex, table.steepest)

    def a_little_off(self, most: int) -> IndexArray:
        """The positions of a few coordinates, undecided or wrong by little; none where any is by much.

        Parameters
        ----------
        most : how many at most: those farthest off
        """
        comparison, found = self.judge(), self.estimates()
        none = np.empty(0, dtype=np.intp)
        if self.claim is None or not self.space.is_plain:
            return none
        size = self.sizes()
        scale = np.fmax(np.abs(self.claim.values), np.abs(found.numeric))
        with np.errstate(all="ignore"):  # a difference of two of the largest floats is infinite
            off = np.abs(self.claim.values - found.numeric)
            weight = off * size
            largest = np.max(scale * size, where=np.isfinite(scale), initial=0.0)
            little = (off <= LITTLE_OF_ITSELF * scale) | (weight <= LITTLE_OF_ALL * largest)
        if (comparison.wrong & ~little).any():
            return none
        some = np.flatnonzero((comparison.wrong | comparison.undecided) & np.isfinite(off))
        return some[np.argsort(-weight[some], kind="stable")[:most]]

    def keep(self, which: Bools) -> None:
        """Forget all of the user's coordinates but some; the table keeps what was measured for them.

        Parameters
        ----------
        which : (m,)
        """
        self.indices = self.indices[which]
        if self.claim is not None:
            self.claim = self.claim.of(which)
        self.table.touch()

    def needed(self, positions: IndexArray) -> IndexArray:
        """The positions in the table that some of the user's coordinates, given by position, depend on."""
        if len(positions) == 0:
            return positions
        moved = self.space.needed(self.indices[positions])
        at = positions_of(self.table.plan.indices, moved)
        return np.arange(at.start, at.stop) if isinstance(at, slice) else at

    def steps(self) -> Floats | None:
        """(m,) the step of the values that each estimate comes from; None where others were moved."""
        if not self.space.is_plain:
            return None
        rows = self._rows()
        return np.where(np.isfinite(self.table.numeric[rows]), self.table.taken[rows], np.nan)

    def flagged(self, flags: Bools) -> Bools:
        """Which of the user's coordinates depend on a flagged row; none where several rows move for one."""
        if not flags.any() or not self.space.is_plain:
            return np.zeros(len(self.indices), dtype=bool)
        return flags[self._rows()]

    def _rows(self) -> slice | IndexArray:
        """The row of each of the user's coordinates, where one moves for each."""
        return positions_of(self.table.plan.indices, self.indices)
