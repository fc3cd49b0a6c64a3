"""The report from what the stages before it found."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from fastgrad.arguments import array_leaves
from fastgrad.bounds import Estimates
from fastgrad.budget import INTERRUPTED
from fastgrad.causes import Causes
from fastgrad.claims import Claim
from fastgrad.differences import Differences, Measurement
from fastgrad.options import Options
from fastgrad.outcome import Done, proven
from fastgrad.parameters import IndexArray, Parameters
from fastgrad.problem import Problem
from fastgrad.report import Arrays, BlockRow, Findings, Report, make_finding
from fastgrad.verdict import AGREE, NOTHING_KNOWN, UNDECIDED, ClassicMeasure, Comparison


def build_report(
    problem: Problem,
    parameters: Parameters,
    options: Options,
    found: Differences,
    done: Done,
    m: Measurement,
    path: str,
    seconds: float,
) -> Report:
    """The report of a check, from what was measured and what was done.

    Parameters
    ----------
    problem, parameters, options : what was checked, and how
    found : what was measured
    done : what was decided, and what else came of it
    m : the Measurement
    path : what the path integral said; empty where it was not asked
    seconds : how long all of it took
    """
    comparison, claim = found.comparison, found.claim
    assert claim is not None
    arrays = build_arrays(parameters, found.indices, claim.values, found.estimates, comparison, found.causes)
    wrong, undecided = build_findings(parameters, arrays, comparison)
    blocks, measure_of_all = build_blocks(parameters, arrays, comparison)
    planned = done.planned or done.coverage.checked * bool(m.budget.stopped)
    coverage = replace(
        done.coverage.of(found.indices, parameters),
        guarantee=proven(done.coverage, m),
        planned=planned if planned > len(found.indices) else 0,
    )
    doubt = done.doubt
    if coverage.planned and not doubt:
        doubt = f"budget: {m.budget.stopped or 'it had room for no more'}"
        if m.budget.stopped == INTERRUPTED:
            doubt = "interrupted by Ctrl-C"
        if not np.isfinite(found.estimates.numeric).any():
            doubt += " before anything was known"
    verdict = comparison.verdict
    return Report(
        verdict=UNDECIDED if doubt and verdict == AGREE else verdict,
        relative_error=measure_of_all.value,
        relative_error_interval=measure_of_all.interval,
        wrong=wrong,
        undecided=undecided,
        blocks=blocks,
        coverage=coverage,
        indices=arrays.indices,
        claimed=arrays.claimed,
        numeric=arrays.numeric,
        error_bound=arrays.error_bound,
        cost=m.cost,
        evaluations=m.evaluations,
        seconds=seconds,
        engine=found.engine.name,
        method=options.method,
        n_jobs=found.n_jobs,
        seed=options.seed,
        noise=found.noise,
        perturbed=found.engine.space.sentence,
        rule=comparison.rule,
        notes=claim.notes + found.notes + tuple(done.notes),
        witnesses=found.witnesses + (path,) * bool(path),
        diagnosis=build_diagnosis(parameters, arrays, comparison, claim, problem.args),
        doubt=doubt,
        stopped=m.budget.stopped,
        spent=dict(done.spent),
    )


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


STALE = (
    "the gradient function gives the very same numbers at other parameters: it does not look at its "
    "argument, or answers from a cache"
)


def build_diagnosis(
    parameters: Parameters, arrays: Arrays, comparison: Comparison, claim: Claim, args: tuple[Any, ...]
) -> tuple[str, ...]:
    """Sentences that name the likely mistakes; none where nothing is wrong."""
    if not comparison.wrong.any():
        return ()
    from fastgrad.diagnosis import Evidence, diagnose

    positions = dict(parameters.segments(arrays.indices))
    evidence = []
    for number, block in enumerate(parameters.blocks):
        where = positions.get(number, slice(0, 0))
        inside = arrays.indices[where] - block.start
        evidence.append(
            Evidence(
                block.name,
                block.shape,
                inside,
                arrays.claimed[where],
                arrays.numeric[where],
                arrays.error_bound[where],
                comparison.wrong[where],
                comparison.undecided[where],
                parameters.leaves[number][inside].astype(np.float64),
                claim.dtypes[number],
            )
        )
    found = tuple(diagnosis.sentence for diagnosis in diagnose(evidence, axis_lengths(args)))
    return (STALE, *found) if claim.stale else found


def axis_lengths(args: tuple[Any, ...]) -> tuple[int, ...]:
    """The lengths of the axes of the user's data, each once, in order; those of one entry say nothing."""
    lengths = [n for array in array_leaves(args) for n in array.shape if n > 1]
    return tuple(dict.fromkeys(lengths))


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
        where = positions.get(number, slice(0, 0))
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
                worst=None if worst is None else make_finding(parameters, arrays, worst),
            )
        )
    return tuple(rows), ClassicMeasure.joined(measures) if measures else NOTHING_KNOWN


def measure(arrays: Arrays, where: slice | IndexArray) -> ClassicMeasure:
    """The classic measure of some coordinates, as far as their d is known; NOTHING_KNOWN where none is."""
    d = arrays.numeric[where]
    known = np.isfinite(d)
    if not known.any():
        return NOTHING_KNOWN
    of = (arrays.claimed[where], d, arrays.error_bound[where])
    return ClassicMeasure.of(*of) if known.all() else ClassicMeasure.of(*(v[known] for v in of))


def _worst(comparison: Comparison, where: slice | IndexArray) -> int | None:
    severity = comparison.severity[where]
    if len(severity) == 0 or np.isnan(severity).all():
        return None
    at = int(np.nanargmax(severity))
    return where.start + at if isinstance(where, slice) else int(where[at])
