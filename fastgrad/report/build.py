"""The report, made from what the stages before found.

`checks` calls `build_report` at the end of a check; nothing is evaluated here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fastgrad.arrays import IndexArray
from fastgrad.coordinates.derivatives import Measured
from fastgrad.coordinates.engines import Engines
from fastgrad.coordinates.undecided import Causes, Doubtful
from fastgrad.differences.bounds import Estimates
from fastgrad.execution.budget import INTERRUPTED
from fastgrad.execution.run import Run
from fastgrad.printable import printable
from fastgrad.problem.parameters import Parameters
from fastgrad.report.coverage import Coverage
from fastgrad.report.evidence import build_diagnosis
from fastgrad.report.findings import Arrays
from fastgrad.report.report import Report
from fastgrad.report.resolution import Resolution, only_rounding
from fastgrad.report.revisit import Revisit
from fastgrad.report.tables import build_blocks, build_findings
from fastgrad.specification import Specification
from fastgrad.strategy.outcome import Outcome
from fastgrad.strategy.prove import proven
from fastgrad.verdict.rule import AGREE, UNDECIDED, Comparison


def build_report(
    spec: Specification,
    engines: Engines,
    found: Measured,
    outcome: Outcome,
    run: Run,
    witnesses: tuple[str, ...] = (),
) -> Report:
    """The report of a check, from what was measured and what was done.

    Parameters
    ----------
    spec : Specification
    engines : Engines
    found : what was measured
    outcome : what was decided, and what else came of it
    run : Run, with what was spent
    witnesses : what independent tests said
    """
    parameters, stopped = spec.parameters, "" if outcome.used_up else run.budget.stopped
    comparison, claim = found.comparison, found.claim
    assert claim is not None
    arrays = build_arrays(parameters, found.indices, claim.values, found.estimates, comparison, found.causes)
    wrong, undecided = build_findings(parameters, arrays, comparison)
    blocks, measure_of_all = build_blocks(parameters, arrays, comparison)
    planned = outcome.planned or outcome.selection.checked * bool(stopped)
    coverage = Coverage.of(
        outcome.selection,
        found.indices,
        parameters,
        planned=planned,
        guarantee=proven(spec, outcome, found, stopped),
        certificate=outcome.certificate,
    )
    diagnosis = build_diagnosis(parameters, arrays, comparison, claim, spec.problem.args, engines.cost)
    doubt, doubt_reference = outcome.doubt, outcome.doubt_reference
    if not doubt:
        doubt, doubt_reference = _doubt_of_an_early_end(coverage, found, stopped)
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
        allowed=arrays.allowed,
        states=comparison.states,
        cost=engines.cost,
        evaluations=run.evaluations + run.resumption.compared,
        seconds=run.seconds,
        engine=engines.engine.name,
        method=spec.options.method,
        n_jobs=run.most_workers,
        seed=spec.options.seed,
        noise=found.noise,
        perturbed=engines.space.sentence,
        rule=comparison.rule,
        seen=Resolution.of(arrays, comparison, spec.options.resolution, found, engines.cost),
        notes=_printable(
            (*run.resumed, *claim.notes, *found.notes, *outcome.notes),
            (*_rounding_notes(parameters, arrays), *run.notes_beside(found.notes), *run.overrun),
        ),
        witnesses=_printable(witnesses),
        diagnosis=_printable(diagnosis),
        doubt=printable(doubt),
        doubt_reference=doubt_reference,
        stopped=stopped,
        spent=run.purposes,
        reused=run.resumption.taken,
        revisit=Revisit.of(spec, engines, found, run, arrays, comparison),
    )


def _printable(*sentences: tuple[str, ...]) -> tuple[str, ...]:
    """Sentences that can be printed as they are: some quote what the user's functions raised."""
    return tuple(printable(sentence) for some in sentences for sentence in some)


def _rounding_notes(parameters: Parameters, arrays: Arrays) -> tuple[str, ...]:
    """What is said of blocks whose gradient is only rounding."""
    names = only_rounding(parameters, arrays)
    if not names:
        return ()
    return (
        f"the gradient of {', '.join(names)} is only rounding beside the others': it is zero as far as can "
        "be seen, and was judged absolutely",
    )


def _doubt_of_an_early_end(coverage: Coverage, found: Measured, stopped: str) -> tuple[str, str]:
    """Why the verdict cannot be "agree" where not all that was planned was measured, and its reference."""
    if not coverage.planned:
        return "", ""
    doubt, reference = f"budget: {stopped or 'it had room for no more'}", "FG506"
    if stopped == INTERRUPTED:
        doubt, reference = "interrupted by Ctrl-C or a signal", "FG510"
    if not np.isfinite(found.estimates.numeric).any():
        doubt += " before anything was known"
    return doubt, reference


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
        comparison.rho,
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

    def __call__(self, k: int) -> tuple[str, str]:
        claimed, numeric = float(self.claimed[k]), float(self.estimates.numeric[k])
        bound, allowed = float(self.estimates.error_bound[k]), float(self.comparison.allowed[k])
        if not np.isfinite(claimed):
            return "not_finite", f"the claimed gradient is {claimed}"
        if not self.comparison.undecided[k]:
            return "off", (
                f"off by {abs(claimed - numeric):.3g}: more than the {allowed:.2g} that is allowed, with an "
                f"error bound of {bound:.2g}"
            )
        index = int(self.indices[k])
        label = self.parameters.label(index)
        cause = self.causes.of_coordinate(Doubtful(index, label, claimed, numeric, bound))
        return cause.reason.code, cause.sentence
