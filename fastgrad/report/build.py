"""The report from what the stages before it found."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fastgrad.bounds import Estimates
from fastgrad.causes import Causes
from fastgrad.parameters import IndexArray, Parameters
from fastgrad.report import Arrays, BlockRow, Findings, make_finding
from fastgrad.verdict import Comparison, relative_error, relative_error_interval


def build_arrays(
    parameters: Parameters,
    indices: IndexArray,
    claimed: npt.NDArray[np.float64],
    estimates: Estimates,
    comparison: Comparison,
    causes: Causes,
) -> Arrays:
    """Everything known of the checked coordinates, with the cause of each that does not agree."""
    return Arrays(
        indices,
        claimed,
        estimates.numeric,
        estimates.error_bound,
        comparison.allowed,
        _Reasons(parameters, indices, claimed, estimates, comparison, causes),
    )


@dataclass(frozen=True, eq=False)
class _Reasons:
    """Why the coordinate at a position is wrong or undecided, put into words when asked."""

    parameters: Parameters
    indices: IndexArray
    claimed: npt.NDArray[np.float64]
    estimates: Estimates
    comparison: Comparison
    causes: Causes

    def __call__(self, k: int) -> str:
        claimed, numeric = float(self.claimed[k]), float(self.estimates.numeric[k])
        bound, allowed = float(self.estimates.error_bound[k]), float(self.comparison.allowed[k])
        if not np.isfinite(claimed):
            return f"the claimed gradient is {claimed}"
        if not self.comparison.undecided[k]:
            return (
                f"off by {abs(claimed - numeric):.3g}: more than the {allowed:.2g} that is allowed, even at "
                f"the end of the error bound of {bound:.2g}"
            )
        index = int(self.indices[k])
        label = self.parameters.label(index)
        return self.causes.sentence(index, label, claimed, numeric, bound, allowed)


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
                relative_error_interval=_interval(arrays, where),
                worst=None if worst is None else make_finding(parameters, arrays, worst),
            )
        )
    return tuple(rows)


def overall_relative_error(arrays: Arrays) -> float:
    """||g - d|| / ||g + d|| over the coordinates whose d is known."""
    return _known_relative_error(arrays, np.arange(len(arrays.indices)))


def overall_interval(arrays: Arrays) -> tuple[float, float]:
    """Between what values the relative error lies, over the coordinates whose d is known."""
    return _interval(arrays, np.arange(len(arrays.indices)))


def _interval(arrays: Arrays, where: IndexArray) -> tuple[float, float]:
    known = where[np.isfinite(arrays.numeric[where])]
    return relative_error_interval(arrays.claimed[known], arrays.numeric[known], arrays.error_bound[known])


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
