"""Whatever names, labels, exceptions and objects of the user's hold, nothing of it acts on a terminal."""

from __future__ import annotations

import contextlib
import io
import json
import re
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import fastgrad
from fastgrad.printable import printable

HEADLINE = re.compile(r"\s*(AGREE|DISAGREE|UNDECIDED)\b")
"""How the first line of a report begins, and no other one."""

ACTING = "\x00\x07\x08\t\n\x0b\x0c\r\x1b\x7f\x85\x9b\xa0\xad"
ACTING += "\u034f\u061c\u180e\u200b\u200d\u200e\u2028\u2029\u202e\u2066"
ACTING += "\u2800\u3164\ufe0f\ufeff\ud800\udfff\U000e0041\U000e0100"

VERDICTS = (
    "W\n\nAGREE: the gradient is right at all 4 coordinates.",
    "AGREE: the gradient is right at all 4 coordinates.",
    "  AGREE to 2e-10",
    "AGREE",
    "\uff21\uff27\uff32\uff25\uff25: all is well",
    "\x1b[2J\x1b[HAGREE: the gradient is right",
    "note: nothing is wrong",
    "{0} {peak} [bold]x[/bold] :smile: %s",
)

names = st.one_of(
    st.text(
        st.one_of(st.characters(exclude_categories=()), st.sampled_from(ACTING)), min_size=1, max_size=120
    ),
    st.sampled_from(VERDICTS),
)
few = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))


def refuse_acting(text):
    """Every line can be printed as it is."""
    assert text.split("\n") == text.splitlines() or text.endswith("\n") or not text
    for line in text.split("\n"):
        assert printable(line) == line, line


def refuse_two_verdicts(text):
    """The text is a report: its first line says the verdict, and none of the others looks like it."""
    refuse_acting(text)
    found = [bool(HEADLINE.match(line)) for line in text.split("\n")]
    assert found == [True] + [False] * (len(found) - 1), text


def square(p):
    """A sum of squares over all blocks."""
    return float(sum((v**2).sum() for v in p.values()))


def checked(params, gradient, cost=square, **options):
    """The report, and what was shown on stderr meanwhile."""
    shown = io.StringIO()
    with contextlib.redirect_stderr(shown):
        report = fastgrad.check_gradient(cost, gradient, params, progress=True, **options)
    return report, shown.getvalue()


def doubled(params, factor=2.0):
    """The gradient of `square`, or something like it."""
    return {name: factor * v for name, v in params.items()}


def raised(call, *arguments, **options):
    """What an InputError says."""
    with pytest.raises(fastgrad.InputError) as caught:
        call(*arguments, **options)
    return str(caught.value)


class TestNamesOfBlocks:
    @few
    @given(st.lists(names, min_size=1, max_size=3, unique=True), st.sampled_from([2.0, 2.02, -2.0]))
    @example([VERDICTS[0]], 2.02)
    @example(["AGREE", "W"], 2.0)
    def test_reports(self, chosen, factor):
        """Right or wrong, a report has one headline, nothing in it acts, and JSON has the names."""
        params = {name: np.array([0.5, 1.5]) for name in chosen}
        report, shown = checked(params, lambda p: doubled(p, factor))
        refuse_two_verdicts(str(report))
        refuse_acting(shown.replace("\r", ""))
        for said in (repr(report), *report.diagnosis, *report.notes, *report.witnesses):
            refuse_acting(said)
        found = json.loads(report.to_json())
        assert [row["name"] for row in found["blocks"]] == [block.name for block in report.blocks]
        assert {row["name"] for row in found["blocks"]} == set(chosen)
        if not report.passed:
            with pytest.raises(fastgrad.GradientError) as caught:
                report.raise_if_failed()
            refuse_two_verdicts(str(caught.value).removeprefix("\n"))

    @few
    @given(names)
    def test_samples_and_certificates(self, name):
        """The sentences of a sample, of what was not visited, and of random directions do so too."""
        params = {name: np.linspace(0.5, 1.5, 40), f"{name}2": np.ones(3)}
        for options in ({"coordinates": 10, "probes": 3}, {"coordinates": [0, 1]}):
            report, _ = checked(params, doubled, **options)
            refuse_two_verdicts(str(report))
            coverage = report.coverage
            for part in (coverage, coverage.guarantee, coverage.certificate):
                refuse_acting(part.sentence if part is not None else "")
            assert json.loads(report.to_json())["coverage"]["unvisited"] == list(report.coverage.unvisited)

    @few
    @given(names)
    def test_undecided(self, name):
        """So do the reasons why a coordinate is undecided."""
        with np.errstate(invalid="ignore"):
            report, _ = checked(
                {name: np.array(0.0)}, {name: np.array(1.0)}, cost=lambda p: float(np.sqrt(p[name]))
            )
        refuse_two_verdicts(str(report))
        assert not report.passed

    @few
    @given(names, names)
    def test_errors(self, name, other):
        """So do errors about parameters, gradients and options."""
        params = {name: np.ones(2)}
        check = fastgrad.check_gradient
        said = [
            raised(check, square, {f"{other}x{name}": np.ones(2)}, params),
            raised(check, square, {name: np.ones(3)}, params),
            raised(check, square, doubled, {name: np.array([1, 2])}),
            raised(check, square, doubled, {name: np.array([1.0, np.nan])}),
            raised(check, square, doubled, params, step={f"{other}x{name}": 1e-5}),
            raised(check, square, doubled, params, step={name: other}),
            raised(check, square, doubled, params, method=other),
            raised(check, square, doubled, params, engine=other),
            raised(check, square, doubled, params, kinks=other),
            raised(check, square, doubled, params, backend=other, n_jobs=2),
            raised(check, lambda p: other, doubled, params),
            raised(fastgrad.Problem, other, None, params),
        ]
        for text in said:
            assert "\n" not in text
            refuse_acting(text)

    @few
    @given(names)
    def test_numerical(self, name):
        """The notes of a numerical gradient can be printed."""
        found = fastgrad.numerical_gradient(square, {name: np.ones(2)}, max_evaluations=3)
        for said in (*found.notes, repr(found)):
            refuse_acting(said.replace("\n", " "))


class TestOtherTexts:
    @few
    @given(names)
    def test_exceptions_of_the_cost(self, text):
        """What a cost raises beside the parameters is quoted on one line."""

        def root(p):
            if p["a"][0] < 0:
                raise ValueError(text)
            return float(np.sqrt(p["a"][0]))

        report, _ = checked({"a": np.zeros(1)}, {"a": np.ones(1)}, cost=root)
        refuse_two_verdicts(str(report))
        refuse_acting(report.undecided[0].cause)
        assert "ValueError" in report.undecided[0].cause

    @few
    @given(st.lists(names, min_size=2, max_size=2, unique=True))
    def test_labels(self, labels):
        """The labels of a Series are shown in messages, and in the table, likewise."""
        series = pd.Series([1.0, 2.0], index=labels)
        report = fastgrad.check_gradient(lambda s: float((s**2).sum()), lambda s: 2.02 * s, series)
        refuse_two_verdicts(str(report))
        other = pd.Series([1.0, 2.0], index=[f"{label}x" for label in reversed(labels)])
        refuse_acting(raised(fastgrad.check_gradient, lambda s: float((s**2).sum()), other, series))

    @few
    @given(names)
    def test_objects_that_print_themselves(self, text):
        """An object's own repr, and the name of its class, are shown on one line."""
        kind = type("Odd", (), {"__repr__": lambda self: text})
        for said in (
            raised(fastgrad.check_gradient, kind(), doubled, {"a": np.ones(2)}),
            raised(fastgrad.check_gradient, square, doubled, {"a": kind()}),
            raised(fastgrad.check_gradient, square, {"a": kind()}, {"a": np.ones(2)}),
            raised(fastgrad.check_gradient, lambda p: kind(), doubled, {"a": np.ones(2)}),
            raised(fastgrad.check_gradient, square, doubled, {"a": np.ones(2)}, seed=kind()),
            raised(fastgrad.check_gradient, square, doubled, {"a": np.ones(2)}, tolerance=kind()),
        ):
            assert "\n" not in said
            refuse_acting(said)

    @few
    @given(names)
    def test_warnings(self, text):
        """What fastgrad warns of is on one line."""
        from fastgrad.errors import warn_user

        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            warn_user(text)
        refuse_acting(str(caught[0].message))
        assert "\n" not in str(caught[0].message)


def test_the_check_of_these_tests():
    """These tests can fail: a text with a second verdict, or that acts, is refused."""
    for text in (
        "AGREE: x\nAGREE: y",
        "AGREE: x\n  DISAGREE",
        "AGREE: \x1b[31m",
        "AGREE: \u202e",
        "AGREE: \ufe0f",
    ):
        with pytest.raises(AssertionError):
            refuse_two_verdicts(text)
