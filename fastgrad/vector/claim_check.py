"""The report of a claimed Jacobian: a gradient check of w . F, then the wrong entries of wrong columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from fastgrad.arrays import Floats
from fastgrad.checks import check
from fastgrad.differences.stencils import find_stencil
from fastgrad.report.report import Report
from fastgrad.vector.adjoint import adjoint_identity
from fastgrad.vector.claims import Claim
from fastgrad.vector.each_entry import full, suspicious
from fastgrad.vector.entries import confirmed, wrong_entries
from fastgrad.vector.projection import VectorProblem
from fastgrad.verdict.rule import DISAGREE

SAID = (
    "each coordinate is a column of the Jacobian, checked as one random combination of all {count} outputs: "
    "an error in any entry shows in it, but for a chance of zero"
)


NOT_SYMMETRIC = (
    "the Hessian is not symmetric: u . (H v) = {:.9g} and v . (H u) = {:.9g} for random u and v; second "
    "derivatives of a smooth cost are"
)


def check_claim(claim: Claim, options: Mapping[str, Any]) -> Report:
    """Check the gradient of w . F against what is claimed of it.

    Parameters
    ----------
    claim : Claim
    options : keywords of check_gradient
    """
    vector = claim.vector
    groups = vector.groups(claim.pattern()) if _may_group(vector) else None
    columns = None if groups is None else vector.columns(groups)
    report = check(vector.problem(claim.gradient, columns), **options)
    found = replace(report, notes=(SAID.format(count=vector.outputs.size), *report.notes))
    if not _has_room(vector, report):
        return found
    if report.wrong:
        worst = np.array([finding.flat_index for finding in report.wrong[:10]])
        return replace(found, entries=wrong_entries(claim, worst))
    each = groups or full(vector.outputs.size, vector.parameters.size)
    entries = confirmed(claim, suspicious(claim, each)) if each is not None else ()
    return replace(found, verdict=DISAGREE, entries=entries) if entries else found


def with_symmetry(report: Report, vector: VectorProblem, product: Callable[[Floats], Floats]) -> Report:
    """The report of a Hessian with a sentence where the Hessian is not symmetric.

    Parameters
    ----------
    report : of the Hessian
    vector : whose function is the gradient
    product : v (n,) -> H v (n,)
    """
    if vector.outputs.size != vector.parameters.size:
        return report
    u = vector.weights
    found = adjoint_identity(
        product, product, u, vector.moved.sizes, vector.moved.epsilon, vector.options.seed
    )
    if found.holds:
        return report
    return replace(report, diagnosis=(NOT_SYMMETRIC.format(found.left, found.right), *report.diagnosis))


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
