"""The lists and the table of blocks of a report, from arrays over the checked coordinates."""

from __future__ import annotations

import numpy as np

from fastgrad.arrays import IndexArray
from fastgrad.problem.block import Block
from fastgrad.problem.parameters import Parameters
from fastgrad.report.findings import Arrays, BlockRow, Findings, make_finding
from fastgrad.verdict.classic import NOTHING_KNOWN, ClassicMeasure
from fastgrad.verdict.rule import Comparison


def build_findings(
    parameters: Parameters, arrays: Arrays, comparison: Comparison
) -> tuple[Findings, Findings]:
    """The wrong coordinates, worst first, and the undecided ones."""
    wrong = np.flatnonzero(comparison.wrong)
    wrong = wrong[np.argsort(-comparison.severity[wrong], kind="stable")]
    undecided = np.flatnonzero(comparison.undecided)
    return Findings(parameters, arrays, wrong), Findings(parameters, arrays, undecided)


def build_blocks(
    parameters: Parameters, arrays: Arrays, comparison: Comparison
) -> tuple[tuple[BlockRow, ...], ClassicMeasure]:
    """A row for each block, in the user's order, and the classic measure of all of them together."""
    positions = dict(parameters.segments(arrays.indices))
    rows: list[BlockRow] = []
    measures: list[ClassicMeasure] = []
    for number, block in enumerate(parameters.blocks):
        where = positions.get(number)
        if where is None:
            rows.append(_not_checked(block))
            continue
        worst = _worst(comparison, where)
        of_block = measure(arrays, where)
        if of_block is not NOTHING_KNOWN:
            measures.append(of_block)
        rows.append(
            BlockRow(
                name=block.name,
                shape=block.shape,
                size=block.size,
                checked=len(arrays.indices[where]),
                wrong=int(comparison.wrong[where].sum()),
                undecided=int(comparison.undecided[where].sum()),
                relative_error=of_block.value,
                relative_error_interval=of_block.interval,
                resolution=resolution_of(comparison, where),
                worst=None if worst is None else make_finding(parameters, arrays, worst),
            )
        )
    return tuple(rows), ClassicMeasure.joined(measures) if measures else NOTHING_KNOWN


def _not_checked(block: Block) -> BlockRow:
    """The row of a block of which nothing was checked."""
    return BlockRow(
        name=block.name,
        shape=block.shape,
        size=block.size,
        checked=0,
        wrong=0,
        undecided=0,
        relative_error=NOTHING_KNOWN.value,
        relative_error_interval=NOTHING_KNOWN.interval,
        resolution=float("nan"),
        worst=None,
    )


def measure(arrays: Arrays, where: slice | IndexArray) -> ClassicMeasure:
    """The classic measure of some coordinates, as far as their d is known; NOTHING_KNOWN where none is."""
    d = arrays.numeric[where]
    known = np.isfinite(d)
    if not known.any():
        return NOTHING_KNOWN
    of = (arrays.claimed[where], d, arrays.error_bound[where])
    return ClassicMeasure.of(*of) if known.all() else ClassicMeasure.of(*(v[known] for v in of))


def resolution_of(comparison: Comparison, where: slice | IndexArray) -> float:
    """To what share of themselves some coordinates were seen to be right; NaN where none was."""
    rho = comparison.rho[where][comparison.by_itself[where]]
    return float(rho.max()) if len(rho) else float("nan")


def _worst(comparison: Comparison, where: slice | IndexArray) -> int | None:
    severity = comparison.severity[where]
    if len(severity) == 0 or np.isnan(severity).all():
        return None
    at = int(np.nanargmax(severity))
    return where.start + at if isinstance(where, slice) else int(where[at])
