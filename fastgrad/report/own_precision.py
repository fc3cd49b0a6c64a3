"""A report with what a gradient is in its own precision, beside what it is in double precision.

The check was made in double precision. Where it agrees there and not in its own precision, the verdict is
disagree, and the coordinates that are wrong are those of the second comparison.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from fastgrad.arrays import Floats, IndexArray
from fastgrad.problem.parameters import Parameters
from fastgrad.report.findings import Arrays, BlockRow, Findings
from fastgrad.report.report import Report
from fastgrad.verdict.classic import relative_error
from fastgrad.verdict.rule import AGREE, DISAGREE
from fastgrad.witnesses.own_precision import OwnPrecision

ONLY_THERE = (
    "the gradient is wrong in {dtype} only: in float64 the same code agrees with the differences. Look for a "
    "kernel or a branch of its own for {dtype}, for sums or products that lose their digits, and for numbers "
    "that overflow"
)


def with_own_precision(report: Report, parameters: Parameters, own: OwnPrecision, who: str) -> Report:
    """The report of a check in double precision, with what was found in the gradient's own.

    Parameters
    ----------
    report : of the check in double precision
    parameters : that were checked
    own : what was found
    who : whose gradient it is, such as "autograd"
    """
    wrong = np.flatnonzero(own.wrong)
    said = f"agree to {own.apart:.0e} of its norm, which rounding explains"
    if len(wrong):
        count = f"{len(wrong):,} of {parameters.size:,} entries" if len(wrong) > 1 else "one entry"
        said = f"disagree, {count} further apart than rounding explains"
    sentence = f"{who} in float64: {report.verdict}; in {own.dtype}, beside float64: {said}"
    report = replace(report, witnesses=(sentence, *report.witnesses))
    if not len(wrong) or report.verdict != AGREE:
        return report
    return _disagreeing(report, parameters, own, wrong)


def _disagreeing(report: Report, parameters: Parameters, own: OwnPrecision, wrong: IndexArray) -> Report:
    bound = np.full(parameters.size, np.nan)
    bound[report.indices] = report.error_bound
    with np.errstate(invalid="ignore"):
        excess = np.abs(own.claimed - own.certified)[wrong] / np.fmax(own.allowed[wrong], 1e-300)
    worst_first = wrong[np.argsort(-np.nan_to_num(excess, nan=np.inf), kind="stable")]
    whole, unseen = np.arange(parameters.size), np.full(parameters.size, np.inf)
    arrays = Arrays(whole, own.claimed, own.certified, bound, own.allowed, unseen, _Cause(own))
    rows = []
    for row, block in zip(report.blocks, parameters.blocks, strict=True):
        inside = worst_first[(worst_first >= block.start) & (worst_first < block.stop)]
        rows.append(_row(row, Findings(parameters, arrays, inside), own, block.start))
    error = relative_error(own.claimed, own.certified)
    return replace(
        report,
        verdict=DISAGREE,
        wrong=Findings(parameters, arrays, worst_first),
        blocks=tuple(rows),
        claimed=own.claimed[report.indices],
        relative_error=error,
        relative_error_interval=(error, error),
        diagnosis=(*report.diagnosis, ONLY_THERE.format(dtype=own.dtype)),
    )


def _row(row: BlockRow, wrong: Findings, own: OwnPrecision, start: int) -> BlockRow:
    """A block's row, by its gradient in its own precision where that is wrong."""
    if not len(wrong):
        return row
    some = slice(start, start + row.size)
    error = relative_error(own.claimed[some], own.certified[some])
    return replace(
        row, wrong=len(wrong), relative_error=error, relative_error_interval=(error, error), worst=wrong[0]
    )


class _Cause:
    """Why an entry is wrong, as a code and a sentence."""

    def __init__(self, own: OwnPrecision) -> None:
        self.own = own

    def __call__(self, position: int) -> tuple[str, str]:
        own = self.own
        apart: Floats = np.abs(own.claimed[position] - own.certified[position])
        return "own_precision", (
            f"in {own.dtype} off by {apart:.3g} from the gradient in float64, which the differences confirm; "
            f"rounding explains {own.allowed[position]:.2g}"
        )
