"""The evidence that the diagnosis gets: the claimed and the numerical entries of each block, with bounds.

`report.build` calls `build_diagnosis` and gets sentences.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fastgrad.problem.arguments import array_leaves
from fastgrad.problem.claim import ClaimedValues
from fastgrad.problem.parameters import Parameters
from fastgrad.report.findings import Arrays
from fastgrad.verdict.rule import Comparison

STALE = (
    "the gradient function gives the very same numbers at other parameters: it does not look at its "
    "argument, or answers from a cache"
)


def build_diagnosis(
    parameters: Parameters,
    arrays: Arrays,
    comparison: Comparison,
    claim: ClaimedValues,
    args: tuple[Any, ...],
) -> tuple[str, ...]:
    """Sentences that name the likely mistakes; none where nothing is wrong."""
    if not comparison.wrong.any():
        return ()
    from fastgrad.diagnosis.diagnose import diagnose
    from fastgrad.diagnosis.evidence import Evidence

    positions = dict(parameters.segments(arrays.indices))
    evidence = []
    for number, block in enumerate(parameters.blocks):
        where = positions.get(number, slice(0, 0))
        inside = arrays.indices[where] - block.start
        evidence.append(
            Evidence(
                block.shown,
                block.shape,
                inside,
                arrays.claimed[where],
                arrays.numeric[where],
                arrays.error_bound[where],
                comparison.wrong[where],
                comparison.undecided[where],
                parameters.leaves[number][inside].astype(np.float64),
                claim.dtypes[number],
                block.form,
            )
        )
    found = tuple(diagnosis.sentence for diagnosis in diagnose(evidence, axis_lengths(args)))
    return (STALE, *found) if claim.stale else found


def axis_lengths(args: tuple[Any, ...]) -> tuple[int, ...]:
    """The lengths of the axes of the user's data, each once, in order; those of one entry say nothing."""
    lengths = [n for array in array_leaves(args) for n in array.shape if n > 1]
    return tuple(dict.fromkeys(lengths))
