"""Each part says what the text report says, and nothing where there is nothing to say."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from page_cases import Page
from report_cases import agreeing, report_of, undecided_report, wrong

import fastgrad
from fastgrad.report.html import sections
from fastgrad.report.html.elements import html_of


def text(part):
    """What is read of a part, with single spaces."""
    return " ".join(Page(html_of(part)).text.split())


@pytest.mark.parametrize(
    "report", [agreeing(), wrong(), undecided_report()], ids=["right", "wrong", "undecided"]
)
def test_verdict(report):
    """The verdict is a word and a sign before its sentence, which is the first line of the text."""
    said = text(sections.verdict(report))
    head, _, rest = str(report).partition("\n")[0].partition(": ")
    assert said.startswith(f"{sections.SIGNS[report.verdict]} {head} {rest[0].upper()}{rest[1:]}")
    assert "||g - d|| / ||g + d||" in said


def test_coverage():
    """What was checked is said with its guarantee, and why it ended early."""
    report = report_of({}, sizes=(("W", (40, 40)),), coordinates=300)
    said = text(sections.coverage(report, ""))
    assert report.coverage.sentence[1:] in said
    assert report.coverage.guarantee.sentence in said
    early = replace(report, stopped="a reason", doubt="a doubt", doubt_reference="FG999")
    assert "In doubt: a doubt [FG999]. Ended early: a reason." in text(sections.coverage(early, ""))


def test_blocks():
    """There is a row for each block with its counts and verdict."""
    said = text(sections.blocks(wrong(), ""))
    assert re.search(r"W \(2, 3\) all 6 2 0 .* W\[0, 1\] disagree", said)
    assert re.search(r"b \(3,\) all 3 1 0 .* b\[2\] disagree", said)


def test_many_blocks():
    """The worst of many blocks are listed, and how many are not is said."""
    sizes = [(f"block{k}", (1,)) for k in range(sections.BLOCKS + 7)]
    said = text(sections.blocks(report_of({f"block{sections.BLOCKS + 6}": {(0,): 1.0}}, sizes), ""))
    assert f"block{sections.BLOCKS + 6} (1,) all 1 1 0" in said
    assert "7 more with as many or fewer wrong are not listed." in said


def test_worst():
    """The wrong coordinates are listed worst first, with their numbers; how many more there are is said."""
    said = text(sections.worst(wrong(), ""))
    assert said.index("W[0, 1] 9 1 ") < said.index("W[1, 2] 1.5 1 ") < said.index("b[2] 0.75 1 ")
    many = report_of({"W": {(k, 0): 1.0 for k in range(25)}}, sizes=(("W", (25, 1)),))
    assert "5 more are wrong." in text(sections.worst(many, ""))


def test_worst_of_a_right_gradient():
    """Where nothing is wrong the coordinate of each block is shown that comes nearest to it."""
    said = text(sections.worst(agreeing(), ""))
    assert "comes nearest to what is allowed" in said
    assert agreeing().blocks[0].worst.label in said


def test_undecided():
    """Each undecided coordinate has its reason in a word and in a sentence."""
    [found] = undecided_report().undecided
    assert f"{found.label} ({found.code}, {found.reference})" in text(
        sections.undecided(undecided_report(), "")
    )
    assert found.cause in text(sections.undecided(undecided_report(), ""))
    assert sections.undecided(wrong(), "") is None
    many = replace(undecided_report(), undecided=[found] * (sections.COORDINATES + 3))
    assert text(sections.undecided(many, "")).endswith("3 more are undecided.")


def test_diagnosis():
    """The likely mistakes are listed; a right gradient has none."""
    for sentence in wrong().diagnosis:
        assert sentence in text(sections.diagnosis(wrong(), ""))
    assert sections.diagnosis(agreeing(), "") is None


def test_entries():
    """Wrong entries of a Jacobian are listed with both numbers."""
    jacobian = np.array([[2.0, 0.0], [0.0, 3.0]])
    report = fastgrad.check_jacobian(
        lambda x: np.array([2.0, 3.0]) * x, jacobian + np.array([[0, 0], [0.5, 0]]), np.ones(2)
    )
    said = text(sections.entries(report, ""))
    for entry in report.entries:
        assert f"{entry.output} {entry.parameter} {entry.claimed:.9g} {entry.numeric:.9g}" in said
    assert report.entries
    assert sections.entries(wrong(), "") is None


def test_evaluations():
    """Evaluations are listed by what they were made for, and add up."""
    report = wrong()
    said = text(sections.evaluations(report, ""))
    assert f"{report.evaluations:,} evaluations in {report.seconds:.2f} s" in said
    assert all(f"{what} {made:,}" in said for what, made in report.spent.items() if made)
    assert "7 values came from the checkpoint." in text(sections.evaluations(replace(report, reused=7), ""))


def test_a_claim_that_is_not_a_number():
    """The row of a claim that is NaN says so: that is what is wrong with it."""
    x = np.array([1.0, 2.0])
    report = fastgrad.check_gradient(lambda x: x @ x, lambda x: np.where(x > 1, np.nan, 2 * x), x)
    assert text(sections.worst(report, "")).count(" nan ") >= 1


def test_noise():
    """The noise of blocks is said with their names as they are shown, each in an element of its own."""
    report = report_of({}, sizes=(("W" * 300, (2,)), ("b", (2,))))
    part = sections.method(report, "", "9.9")
    assert [one.text for one in part.iter("bdi")] == report.shown_blocks
    shown = zip(report.shown_blocks, report.noise.values(), strict=True)
    sigmas = [f"{name} {value:.2g}" for name, value in shown]
    assert ", ".join(sigmas) in text(part)


def test_method():
    """All that is needed to do it again is there."""
    report = replace(wrong(), notes=("a note",), witnesses=("a witness",))
    said = text(sections.method(report, "", "9.9"))
    for part in (
        "central",
        report.rule,
        f"seed {report.seed}",
        "fastgrad 9.9",
        "note a note",
        "witness a witness",
    ):
        assert part in said
    assert repr(float(report.cost)).rstrip(".0") in said
