"""The corpus: no right gradient is called wrong, every wrong one is, and undecided has the right reason."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from corpus import OWN, RIGHT, WRONG, Case, Wrong
from corpus.cases import MARGIN

import fastgrad


def check(case, gradient):
    """The report on a gradient of a case's cost."""
    return fastgrad.check_gradient(case.cost, gradient, case.params, args=case.args)


def faults_of_right(case, report):
    """What is false in a report on a gradient that is right, in words."""
    found = [_describe(f) for f in report.wrong]
    if case.reasons:
        return found + [_describe(f) for f in report.undecided if not f.cause.startswith(case.reasons)]
    return found + [_describe(f) for f in report.undecided]


def faults_of_wrong(case, report):
    """What is false in a report on a gradient that is wrong, in words."""
    errors = case.errors()
    wrong = {f.flat_index: f for f in report.wrong}
    undecided = {f.flat_index: f for f in report.undecided}
    found = [_describe(f) for i, f in wrong.items() if errors[i] < 1 / MARGIN]
    for i in np.flatnonzero(errors > MARGIN):
        if i in wrong:
            continue
        if i not in undecided:
            found.append(f"coordinate {i} is off by {errors[i]:.3g} times what counts, and agrees")
        elif not (case.reasons and undecided[i].cause.startswith(case.reasons)):
            found.append(_describe(undecided[i]))
    if report.verdict != "disagree" and not (case.hidden and report.verdict == "undecided"):
        found.append(f"the verdict is {report.verdict}")
    if case.where is not None and {f.label for f in report.wrong} != set(case.where):
        found.append(f"wrong are {sorted(f.label for f in report.wrong)}, not {sorted(case.where)}")
    return found


def _describe(finding):
    return (
        f"{finding.label}: claimed {finding.claimed:.10g}, numeric {finding.numeric:.10g} "
        f"+- {finding.error_bound:.2g}; {finding.cause}"
    )


def by_name(cases):
    """Cases as parameters of a test."""
    return [pytest.param(case, id=case.name) for case in cases]


@pytest.mark.parametrize("case", by_name(RIGHT))
def test_right(case):
    """A right gradient is never called wrong, and undecided only for a reason that the case knows."""
    assert faults_of_right(case, check(case, case.gradient)) == []


@pytest.mark.parametrize("case", by_name(WRONG))
def test_wrong(case):
    """A gradient whose error exceeds what counts as a bug is called wrong, where it is and nowhere else."""
    assert faults_of_wrong(case, check(case.twin, case.gradient)) == []


class TestTheCorpus:
    """What the cases are."""

    def test_numbers(self):
        """There are at least 60 right and 120 wrong cases, without those of libraries that may be missing."""
        assert len(OWN) >= 60
        assert len(WRONG) >= 120

    def test_names(self):
        """No two cases have one name."""
        names = [case.name for case in [*RIGHT, *WRONG]]
        assert len(set(names)) == len(names)

    def test_most_are_to_be_decided(self):
        """Two thirds of the right cases allow no undecided coordinate at all."""
        assert sum(not case.reasons for case in OWN) >= 2 / 3 * len(OWN)

    def test_wrong_by_the_truth(self):
        """The error of each wrong case is one that counts, and is where the case says."""
        for case in WRONG:
            assert case.errors().max() > MARGIN, case.name
            if case.where is not None:
                assert case.labels() == case.where

    def test_sizes_of_error(self):
        """Single coordinates are off by 1e-1 to 1e-5, twenty times each."""
        for size in (1e-1, 1e-2, 1e-3, 1e-4, 1e-5):
            assert sum(case.bug.endswith(f"off by {size:g}") for case in WRONG) >= 20


SINES = Case("sines", lambda x: np.sum(np.sin(x)), np.cos, np.array([0.3, 1.0, -0.4]))


class TestTheTest:
    """It can fail."""

    case = SINES

    def test_false_alarm(self):
        """A right case that is called wrong is a fault."""
        assert (
            "params[1]" in faults_of_right(self.case, check(self.case, lambda x: np.cos(x) * [1, 1.1, 1]))[0]
        )

    def test_undecided_without_a_reason(self):
        """So is one that is undecided for another reason than the case's."""
        drowned = replace(self.case, cost=lambda x: float(1e12 + np.sum(np.sin(x))), reasons=("noise",))
        report = check(drowned, np.cos)
        assert report.verdict == "undecided"
        assert faults_of_right(drowned, report) == []
        assert len(faults_of_right(replace(drowned, reasons=("kink",)), report)) == 3
        assert len(faults_of_right(replace(drowned, reasons=()), report)) == 3

    def test_miss(self):
        """So is a wrong gradient that agrees."""
        wrong = Wrong(self.case, "one entry off", lambda x: np.cos(x) * [1, 1.1, 1], ("params[1]",))
        assert faults_of_wrong(wrong, check(self.case, wrong.gradient)) == []
        agrees, verdict, where = faults_of_wrong(wrong, check(self.case, np.cos))
        assert "coordinate 1" in agrees
        assert "agree" in verdict
        assert "wrong are []" in where

    def test_accusation_of_a_right_entry(self):
        """So is a right entry that is called wrong beside the wrong one."""
        wrong = Wrong(self.case, "one entry off", lambda x: np.cos(x) * [1, 1.1, 1])
        assert "params[2]" in faults_of_wrong(wrong, check(self.case, lambda x: np.cos(x) * [1, 1.1, 1.1]))[0]

    def test_hidden_bug_that_agrees(self):
        """A bug that drowns in noise may be undecided, but not agree."""
        wrong = Wrong(self.case, "hidden", lambda x: np.cos(x) * [1, 1.1, 1], hidden=True)
        assert len(faults_of_wrong(wrong, check(self.case, np.cos))) == 2

    def test_error_too_small_to_count(self):
        """An error below what counts is none by the truth."""
        assert Wrong(self.case, "float32", lambda x: np.cos(x) * [1, 1 + 1e-8, 1]).labels() == ()


@pytest.fixture
def trust(monkeypatch):
    """The script that prints the table."""
    path = Path(__file__).parents[1] / "benchmarks" / "trust.py"
    monkeypatch.syspath_prepend(str(path.parent))  # where its neighbours are
    spec = importlib.util.spec_from_file_location("trust", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["trust"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    yield module
    del sys.modules["trust"]


class TestTheTable:
    """scripts/trust."""

    def test_rules(self, trust):
        """Each rule finds the sines right, and wrong with the other sign."""
        for name, judge in trust.RULES.items():
            assert judge(SINES, np.cos)[0] == "agree", name
            assert judge(SINES, lambda x: -np.cos(x))[0] == "disagree", name

    def test_rules_count_evaluations(self, trust):
        """Central differences take two evaluations for each of the three coordinates, forward ones n + 1."""
        counts = {name.split(",")[0]: judge(SINES, np.cos)[1] for name, judge in trust.RULES.items()}
        assert counts["torch gradcheck"] == counts["classic"] == 6
        assert counts["scipy check_grad"] == 4
        assert counts["JAX check_grads"] == 2

    def test_an_exception_fails(self, trust):
        """A classic rule does not pass where the cost raises."""

        def raises(x):
            raise ValueError("outside")

        verdict, _ = trust.by_rule(trust.torch)(replace(SINES, cost=raises), np.cos)
        assert verdict == "disagree"

    def test_tally(self, trust):
        """What is said of right and of wrong cases is counted apart."""
        tally = trust.Tally()
        for is_right, verdict in (
            (True, "disagree"),
            (True, "agree"),
            (False, "agree"),
            (False, "undecided"),
        ):
            tally.add(is_right, verdict, 10)
        assert tally == trust.Tally(1, 1, 0, 1, 0, 40)
