"""The report of a claimed Jacobian: a gradient check of w . F, then the wrong entries of wrong columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from fastgrad.checks import check
from fastgrad.differences.stencils import find_stencil
from fastgrad.report.report import Report
from fastgrad.vector.claims import Claim
from fastgrad.vector.entries import wrong_entries
from fastgrad.vector.projection import VectorProblem

SAID = (
    "each coordinate is a column of the Jacobian, checked as one random combination of all {count} outputs: "
    "an error in any entry shows in it, but for a chance of zero"
)


def check_claim(claim: Claim, options: Mapping[str, Any]) -> Report:
    """Check the gradient of w . F against what is claimed of it.

    Parameters
    ----------
    claim : Claim
    options : keywords of check_gradient
    """
    vector = claim.vector
    columns = vector.columns(claim.pattern()) if _may_group(vector) else None
    report = check(vector.problem(claim.gradient, columns), **options)
    found = replace(report, notes=(SAID.format(count=vector.outputs.size), *report.notes))
    if report.wrong and _has_room(vector, report):
        worst = np.array([finding.flat_index for finding in report.wrong[:10]])
        found = replace(found, entries=wrong_entries(claim, worst))
    return found


def _may_group(vector: VectorProblem) -> bool:
    """Whether the options leave it open how F is evaluated."""
    options = vector.options
    return (
        options.engine == "auto"
        and options.perturb == "parameters"
        and not find_stencil(options.method).is_complex
    )


def _has_room(vector: VectorProblem, report: Report) -> bool:
    """Whether the budget leaves room to look for single entries."""
    options = vector.options
    if report.stopped or options.max_evaluations is not None:
        return False
    return options.budget is None or report.seconds < options.budget / 2
