"""The report from what the stages before it found."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fastgrad.bounds import Estimates
from fastgrad.engines.base import Values
from fastgrad.parameters import IndexArray, Parameters
from fastgrad.report import Arrays, BlockRow, Findings, make_finding
from fastgrad.spaces import Space
from fastgrad.steps import Plan
from fastgrad.verdict import Comparison, relative_error


@dataclass(frozen=True, eq=False)
class NonFinite:
    """Where the cost was not finite while differences were taken: those rows of a plan."""

    space: Space
    plan: Plan
    values: Values

    @classmethod
    def among(cls, space: Space, plan: Plan, values: Values) -> NonFinite:
        """Those of a whole plan."""
        bad = ~np.isfinite(values).all(axis=1)
        rows = Plan(plan.stencil, plan.indices[bad], plan.steps[bad], plan.displacements[bad])
        return cls(space, rows, values[bad])

    def __call__(self, index: int) -> str | None:
        """The first one on the way to the derivative at a flat index, in words; None without one."""
        needed = np.isin(self.plan.indices, self.space.needed(np.asarray([index])))
        if not needed.any():
            return None
        k = int(np.argmax(needed))
        s = int(np.argmin(np.isfinite(self.values[k])))
        label = self.space.parameters.label(int(self.plan.indices[k]))
        value, shift = self.values[k, s], self.plan.displacements[k, s]
        if self.plan.stencil.is_complex:
            return f"the cost is {value} at {label} + {shift.imag:.3g}i"
        return f"the cost is {value} at {label} {'-' if shift < 0 else '+'} {abs(shift):.3g}"


def build_arrays(
    parameters: Parameters,
    indices: IndexArray,
    claimed: npt.NDArray[np.float64],
    estimates: Estimates,
    comparison: Comparison,
    nonfinite: NonFinite,
) -> Arrays:
    """Everything known of the checked coordinates, with the cause of each that does not agree."""
    return Arrays(
        indices,
        claimed,
        estimates.numeric,
        estimates.error_bound,
        comparison.allowed,
        _Causes(parameters, indices, claimed, estimates, comparison, nonfinite),
    )


@dataclass(frozen=True, eq=False)
class _Causes:
    """Why the coordinate at a position is wrong or undecided, put into words when asked."""

    parameters: Parameters
    indices: IndexArray
    claimed: npt.NDArray[np.float64]
    estimates: Estimates
    comparison: Comparison
    nonfinite: NonFinite

    def __call__(self, k: int) -> str:
        if not np.isfinite(self.claimed[k]):
            return f"the claimed gradient is {self.claimed[k]}"
        if self.comparison.undecided[k]:
            return self._undecided(k)
        return "differs by more than its error bound and tau allow"

    def _undecided(self, k: int) -> str:
        index = int(self.indices[k])
        label = self.parameters.label(index)
        if np.isfinite(self.estimates.numeric[k]):
            return (
                f"noise or step range: at {label} differences are known to "
                f"{self.estimates.error_bound[k]:.2g} only, and an error of the gradient below that would "
                "not show"
            )
        found = self.nonfinite(index)
        return f"the difference at {label} overflows" if found is None else f"non-finite: {found}"


def build_findings(
    parameters: Parameters, arrays: Arrays, comparison: Comparison
) -> tuple[Findings, Findings]:
    """The wrong coordinates, worst first, and the undecided ones."""
    wrong = np.flatnonzero(comparison.wrong)
    wrong = wrong[np.argsort(-comparison.severity[wrong], kind="stable")]
    undecided = np.flatnonzero(comparison.undecided)
    return Findings(parameters, arrays, wrong), Findings(parameters, arrays, undecided)


def build_blocks(parameters: Parameters, arrays: Arrays, comparison: Comparison) -> tuple[BlockRow, ...]:
    """A row for each block, in the user's order."""
    everywhere, nothing = np.arange(len(arrays.indices)), np.empty(0, dtype=np.intp)
    positions = {number: everywhere[where] for number, where in parameters.segments(arrays.indices)}
    rows = []
    for number, block in enumerate(parameters.blocks):
        where = positions.get(number, nothing)
        worst = _worst(comparison, where)
        rows.append(
            BlockRow(
                name=block.name,
                shape=block.shape,
                size=block.size,
                checked=len(where),
                wrong=int(comparison.wrong[where].sum()),
                undecided=int(comparison.undecided[where].sum()),
                relative_error=_known_relative_error(arrays, where),
                worst=None if worst is None else make_finding(parameters, arrays, worst),
            )
        )
    return tuple(rows)


def overall_relative_error(arrays: Arrays) -> float:
    """||g - d|| / ||g + d|| over the coordinates whose d is known."""
    return _known_relative_error(arrays, np.arange(len(arrays.indices)))


def _known_relative_error(arrays: Arrays, where: IndexArray) -> float:
    known = where[np.isfinite(arrays.numeric[where])]
    if len(known) == 0:
        return float("nan")
    return relative_error(arrays.claimed[known], arrays.numeric[known])


def _worst(comparison: Comparison, where: IndexArray) -> int | None:
    severity = comparison.severity[where]
    if len(where) == 0 or np.isnan(severity).all():
        return None
    return int(where[np.nanargmax(severity)])
