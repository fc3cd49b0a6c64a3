"""The corpus: no right gradient is called wrong, no wrong one passes for seen, undecided has a known reason.

A wrong gradient may agree where nobody can see its error. Then the report must not claim to have seen it:
every coordinate is off by no more of itself than its report says.
"""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import replace
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from corpus import OWN, PART7_RIGHT, PART7_WRONG, RIGHT, WRONG, Case, Wrong
from corpus.cases import MARGIN

import fastgrad
from fastgrad.problem.parameters import Parameters

COUNTS = 1e-6
"""The share of itself from which an error of a derivative counts: that of THE RULE in
fastgrad/verdict/rule.py, written down again, so that a loosened rule shows here."""

CODES = {
    "noise": {"noise", "limit"},
    "kink": {"kink", "subgradient"},
    "step range": {"step_range"},
    "non-finite": {"not_finite"},
    "jump": {"jump"},
}
"""The codes of undecided coordinates, by the words of a case for them."""

KNOWN = {"noise", "kink", "subgradient", "jump", "step_range", "not_finite", "budget", "limit"}
"""All codes of undecided coordinates."""

MOST_UNDECIDED = 0.015
"""The share of right gradients that may be undecided, of those that a careful person could judge."""

MOST_UNDECIDED_WRONG = 0.01
"""The same of wrong gradients with an error that can be seen."""


def check(case, gradient):
    """The report on a gradient of a case's cost."""
    return fastgrad.check_gradient(case.cost, gradient, case.params, args=case.args)


@cache
def report_of(case):
    """The report on a case, which several tests look at."""
    twin = case.twin if isinstance(case, Wrong) else case
    return check(twin, case.gradient)


def is_undecided(case):
    """Whether a case is undecided by the cost itself: which engine a check takes depends on the machine."""
    report = report_of(case)
    if report.verdict == "undecided" and report.engine != "python":
        twin = case.twin if isinstance(case, Wrong) else case
        report = fastgrad.check_gradient(
            twin.cost, case.gradient, twin.params, args=twin.args, engine="python"
        )
    return report.verdict == "undecided"


def codes_of(case):
    """The codes that undecided coordinates of a case may have."""
    return set().union(*(CODES[word] for word in case.reasons))


def seen_to(report):
    """By flat index, to what share of itself each coordinate was seen to be right, by the report's arrays."""
    with np.errstate(all="ignore"):
        scale = np.fmax(np.abs(report.claimed), np.abs(report.numeric))
        rho = (np.abs(report.claimed - report.numeric) + report.error_bound) / scale
    return dict(zip(report.indices.tolist(), np.where(np.isnan(rho), np.inf, rho).tolist(), strict=True))


def faults_of_right(case, report):
    """What is false in a report on a gradient that is right, in words."""
    found = [_describe(f) for f in report.wrong]
    return found + [_describe(f) for f in report.undecided if f.code not in codes_of(case)]


def faults_of_wrong(case, report):
    """What is false in a report on a gradient that is wrong, in words."""
    sizes = case.sizes()
    wrong = {f.flat_index for f in report.wrong}
    undecided = {f.flat_index: f for f in report.undecided}
    found = [_describe(f) for f in report.wrong if sizes[f.flat_index] < COUNTS / MARGIN]
    for i, rho in seen_to(report).items():
        if i in wrong:
            continue
        if i in undecided:
            if case.errors()[i] > MARGIN and undecided[i].code not in codes_of(case):
                found.append(_describe(undecided[i]))
        elif sizes[i] > MARGIN * rho:
            found.append(f"coordinate {i} is off by {sizes[i]:.3g} of itself, said to be seen to {rho:.3g}")
    if report.verdict != "disagree" and not case.hidden:
        found.append(f"the verdict is {report.verdict}")
    found += faults_of_headline(case, report)
    labels = {f.label for f in report.wrong}
    if case.where is not None and report.verdict != "agree" and labels != set(case.where):
        found.append(f"wrong are {sorted(labels)}, not {sorted(case.where)}")
    return found


def faults_of_headline(case, report):
    """What is false in "AGREE to X": more are off by more than those that are said not to be seen."""
    if report.verdict != "agree":
        return []
    to = report.resolution if report.resolution == report.resolution else 0.0
    off = int((case.sizes() > MARGIN * to).sum())
    aside = report.seen.small + report.seen.zero + report.seen.subgradients
    said = f"{off} coordinates are off by more than {to:.2g}, {aside} are said not to be seen"
    return [said] * (off > aside)


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
    assert faults_of_right(case, report_of(case)) == []


@pytest.mark.parametrize("case", by_name(WRONG))
def test_wrong(case):
    """A wrong gradient is called wrong where it is and nowhere else, or is off by no more than is said."""
    assert faults_of_wrong(case, report_of(case)) == []


class TestOwnScale:
    """Cases in which each coordinate must be judged on its own scale (tests/corpus/part7.py)."""

    @pytest.mark.parametrize("case", by_name([c for c in PART7_RIGHT if c.expected == "agree"]))
    def test_right(self, case):
        """A right gradient is never called wrong, and undecided for a known reason only."""
        report = report_of(case)
        assert [_describe(f) for f in report.wrong] == []
        assert {f.code for f in report.undecided} <= KNOWN

    def test_few_are_undecided(self):
        """Of the right gradients that can be judged nearly all agree."""
        cases = [case for case in PART7_RIGHT if case.expected == "agree"]
        undecided = [case.name for case in cases if is_undecided(case)]
        assert len(undecided) <= MOST_UNDECIDED * len(cases), undecided

    @pytest.mark.parametrize("case", by_name([c for c in PART7_RIGHT if c.expected == "kink"]))
    def test_at_a_kink(self, case):
        """At a kink a right claim is undecided, and said to be a subgradient or too close to a kink."""
        report = report_of(case)
        assert report.verdict == "undecided"
        assert {f.code for f in report.undecided} <= {"kink", "subgradient"}

    @pytest.mark.parametrize("case", by_name([c for c in PART7_RIGHT if c.expected == "jump"]))
    def test_at_a_jump(self, case):
        """Beside jumps a right claim is undecided for them, or agrees where the cost is smooth close by."""
        report = report_of(case)
        assert report.verdict != "disagree"
        assert {f.code for f in report.undecided} <= {"jump", "kink"}
        if report.verdict == "agree":
            assert smooth_nearby(case)

    @pytest.mark.parametrize("case", by_name([c for c in PART7_RIGHT if c.expected == "inexact"]))
    def test_inexact(self, case):
        """Where iterations inside are stopped early the claim is held against the cost as it is computed.

        Differences at two small steps in a row show that the claim is off by what is said.
        """
        for finding in report_of(case).wrong:
            off = abs(finding.claimed - finding.numeric)
            shown = [
                abs(slope - finding.numeric) <= off / 4 for slope in own_slopes(case, finding.flat_index)
            ]
            assert any(a and b for a, b in pairwise(shown)), _describe(finding)

    @pytest.mark.parametrize("case", by_name(PART7_WRONG))
    def test_wrong(self, case):
        """A wrong gradient is not called right if it can be seen, and is off by no more than is said.

        Nothing that is right is called wrong beside it.
        """
        report = report_of(case)
        if report.verdict == "agree":
            assert not case.seen().any()
            seen = seen_to(report)
            assert [i for i, size in enumerate(case.sizes()) if size > MARGIN * seen[i]] == []
            assert faults_of_headline(case, report) == []
        sizes = case.sizes()
        if case.twin.expected != "inexact":
            assert [_describe(f) for f in report.wrong if sizes[f.flat_index] < COUNTS / MARGIN] == []

    def test_few_wrong_ones_are_undecided(self):
        """Of the wrong gradients with an error that can be seen nearly all are called wrong."""
        cases = [case for case in PART7_WRONG if case.seen().any()]
        undecided = [case.name for case in cases if is_undecided(case)]
        assert len(undecided) <= MOST_UNDECIDED_WRONG * len(cases), undecided


SMALL_STEPS = 2.0 ** -np.arange(8, 24)
"""In units of a parameter's size."""


def own_slopes(case, index):
    """Central differences of a cost at small steps."""
    parameters = Parameters(case.params)
    for step in SMALL_STEPS:
        sides = []
        for sign in (1, -1):
            leaves = [leaf.copy() for leaf in parameters.leaves]
            block = parameters.block_of(index)
            leaf = leaves[parameters.blocks.index(block)]
            h = step * max(abs(float(leaf[index - block.start])), 1e-3)
            leaf[index - block.start] += sign * h
            sides.append(float(case.cost(parameters.build_arrays(leaves), *case.args)))
        yield (sides[0] - sides[1]) / (2 * h)


def smooth_nearby(case):
    """Whether the claim is the slope of the cost at all small steps, everywhere."""
    claimed = case.right_gradient()
    return all(
        slope == pytest.approx(claimed[i], rel=1e-4, abs=1e-9)
        for i in range(len(claimed))
        for slope in own_slopes(case, i)
    )


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
        seen, verdict, headline = faults_of_wrong(wrong, check(self.case, np.cos))
        assert seen.startswith("coordinate 1 is off by 0.0909 of itself, said to be seen to ")
        assert verdict == "the verdict is agree"
        assert headline.startswith("1 coordinates are off by more than ")

    def test_accusation_of_a_right_entry(self):
        """So is a right entry that is called wrong beside the wrong one."""
        wrong = Wrong(self.case, "one entry off", lambda x: np.cos(x) * [1, 1.1, 1])
        assert "params[2]" in faults_of_wrong(wrong, check(self.case, lambda x: np.cos(x) * [1, 1.1, 1.1]))[0]

    def test_hidden_bug_that_agrees(self):
        """A bug that drowns in noise may agree, unless it is said to have been seen."""
        wrong = Wrong(self.case, "hidden", lambda x: np.cos(x) * [1, 1.1, 1], hidden=True)
        assert len(faults_of_wrong(wrong, check(self.case, np.cos))) == 2
        drowned = replace(self.case, cost=lambda x: float(1e12 + np.sum(np.sin(x).real)))
        hidden = replace(wrong, twin=drowned, gradient=lambda x: np.cos(x) * [1, 1 + 1e-4, 1])
        report = fastgrad.check_gradient(drowned.cost, hidden.gradient, drowned.params, resolution=1.0)
        assert report.verdict == "agree"
        assert faults_of_wrong(hidden, report) == []

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

        assert trust.by_rule(trust.torch)(replace(SINES, cost=raises), np.cos).verdict == "disagree"

    def test_tally(self, trust):
        """What is said of right and of wrong gradients, at kinks, and of inexact costs is counted apart."""
        tally = trust.Tally()
        right, kink, inexact = (
            trust.Subject.right(replace(SINES, expected=expected))
            for expected in ("agree", "jump", "inexact")
        )
        wrong = trust.Subject.wrong(Wrong(SINES, "doubled", lambda x: 2 * np.cos(x)), visible=True)
        marks = [
            tally.add(subject, trust.Judgement(verdict, 10))
            for subject in (right, kink, inexact, wrong)
            for verdict in ("agree", "disagree", "undecided", "crash")
        ]
        assert "".join(marks) == ".F?!" + ".F?!" + ".x.!" + "M.?!"
        assert tally == trust.Tally(2, 1, 1, 1, 1, 4, 160)

    def test_a_miss(self, trust):
        """A wrong gradient that passes is a miss if it can be seen, or is said to have been seen."""
        wrong = Wrong(SINES, "one entry off by 1e-4", lambda x: np.cos(x) * [1, 1 + 1e-4, 1])
        for visible, seen, missed in (
            (True, None, True),
            (False, None, False),
            (True, 1e-3, True),
            (False, 1e-3, False),
            (False, 1e-5, True),
        ):
            said = trust.Judgement("agree", 10, None if seen is None else np.full(3, seen))
            assert trust.Subject.wrong(wrong, visible).is_missed(said) == missed
        assert not trust.Subject.wrong(wrong, True).is_missed(trust.Judgement("undecided", 10))

    def test_what_fastgrad_saw(self, trust):
        """fastgrad's judgement says to what share of itself each coordinate was seen."""
        said = trust.by_fastgrad(SINES, np.cos)
        assert said.seen.shape == (3,)
        assert said.seen.max() < 1e-8
