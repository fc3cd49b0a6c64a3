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
    "the gradient function gives the very same numbers at other parameters, although the cost is not linear: "
    "it does not look at its argument, or answers from a cache"
)


def build_diagnosis(
    parameters: Parameters,
    arrays: Arrays,
    comparison: Comparison,
    claim: ClaimedValues,
    args: tuple[Any, ...],
    cost: float | None = None,
) -> tuple[str, ...]:
    """Sentences that name the likely mistakes; none where nothing is wrong.

    Parameters
    ----------
    parameters : Parameters
    arrays, comparison, claim : what is known of the checked coordinates
    args : the user's data
    cost : at the parameters; None if it is not known
    """
    if not comparison.wrong.any():
        return ()
    from fastgrad.diagnosis.diagnose import LEAVES_OPEN, diagnose
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
                (comparison.undecided | comparison.small)[where],
                parameters.leaves[number][inside].astype(np.float64),
                claim.dtypes[number],
                form=block.form,
            )
        )
    found = diagnose(evidence, axis_lengths(args), cost)
    said = tuple(diagnosis.sentence for diagnosis in found)
    # A gradient that is constant since it lacks a term, such as an L2 term, is not stale.
    return (STALE, *said) if claim.stale and any(d.kind in LEAVES_OPEN for d in found) else said


def axis_lengths(args: tuple[Any, ...]) -> tuple[int, ...]:
    """The lengths of the axes of the user's data, each once, in order; those of one entry say nothing."""
    lengths = [n for array in array_leaves(args) for n in array.shape if n > 1]
    return tuple(dict.fromkeys(lengths))
