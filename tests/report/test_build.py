"""The report from what the stages before it found."""

from __future__ import annotations

import numpy as np
import pytest
from running import X, running

from fastgrad.execution.budget import INTERRUPTED
from fastgrad.report.build import build_report
from fastgrad.sampling.selection import choose_coordinates
from fastgrad.strategy.outcome import Outcome


def report_of(claim=None, reached=None, stopped="", doubt="", planned=0):
    """The report after the first coordinates were measured."""
    coordinates = running(claim=claim)
    coordinates.measure(np.arange(len(X) if reached is None else reached))
    coordinates.run.budget.stopped = stopped
    _, selection = choose_coordinates("all", coordinates.spec.parameters, 0)
    outcome = Outcome(selection, planned, doubt=doubt)
    return build_report(
        coordinates.spec, coordinates.engines, coordinates.result(), outcome, coordinates.run, ("a witness",)
    )


def test_an_agreement():
    """Everything measured and right: agree, with the numbers of the run."""
    report = report_of()
    assert (report.verdict, report.coverage.how, report.engine) == ("agree", "all", "python")
    assert report.evaluations > 2 * len(X)
    assert report.witnesses == ("a witness",)


def test_a_doubt_is_no_agreement():
    """A doubt turns "agree" into "undecided", and leaves "disagree" alone."""
    assert report_of(doubt="some doubt").verdict == "undecided"
    assert report_of(np.cos(X) + 1, doubt="some doubt").verdict == "disagree"


@pytest.mark.parametrize(
    ("stopped", "doubt", "reference"),
    [
        ("the budget is over", "budget: the budget is over", "FG506"),
        (INTERRUPTED, "interrupted by Ctrl-C or a signal", "FG510"),
    ],
)
def test_an_early_end(stopped, doubt, reference):
    """Where not all that was to be checked was reached, the report is undecided and says why, with a code."""
    report = report_of(reached=5, stopped=stopped, planned=len(X))
    assert (report.verdict, report.doubt, report.stopped) == ("undecided", doubt, stopped)
    assert report.doubt_reference == reference
    assert f"in doubt: {doubt} [{reference}]" in str(report).splitlines()
    assert f"[{reference}]" not in str(report).splitlines()[0]
    assert (report.coverage.checked, report.coverage.planned) == (5, 8)
