"""Several reports as one: the worst verdict, headlines of all, details of what failed."""

from __future__ import annotations

import json
import pickle

import pytest

import fastgrad
from fastgrad.report.reports import Reports


def report(factor=1.0, cost=lambda x: x**2):
    """The report of a gradient that is off by a factor."""
    return fastgrad.check_gradient(cost, lambda x: 2 * factor * x, 3.0)


RIGHT, WRONG = report(), report(1.01)
UNDECIDED = fastgrad.check_gradient(lambda x: abs(x - 3.0), 0.5, 3.0)


class TestVerdict:
    # reports, what could not be checked, verdict, headline
    CASES = (
        ({"a": RIGHT}, (), "agree", "AGREE: the one check passed."),
        ({"a": RIGHT, "b": RIGHT}, (), "agree", "AGREE: all 2 checks passed."),
        ({"a": RIGHT, "b": WRONG}, (), "disagree", "DISAGREE: b disagrees; 1 of 2 checks passed."),
        (
            {"a": UNDECIDED, "b": WRONG, "c": WRONG},
            (),
            "disagree",
            "DISAGREE: b and 1 more disagree; 0 of 3 checks passed.",
        ),
        ({"a": RIGHT, "b": UNDECIDED}, (), "undecided", "UNDECIDED: b is undecided; 1 of 2 checks passed."),
        ({"a": RIGHT}, ("x",), "undecided", "UNDECIDED: 1 of 1 checks passed; 1 could not be made."),
        ({}, ("x",), "undecided", "UNDECIDED: 0 of 0 checks passed; 1 could not be made."),
    )

    @pytest.mark.parametrize(("some", "unchecked", "verdict", "headline"), CASES)
    def test_worst(self, some, unchecked, verdict, headline):
        """The verdict is the worst of all, and the first line says which check it comes from."""
        reports = Reports(some, unchecked=unchecked)
        assert (reports.verdict, reports.passed) == (verdict, verdict == "agree")
        assert str(reports).partition("\n")[0] == headline


class TestText:
    def test_headline_of_each(self):
        """Each check has its first line; notes and what was not checked follow."""
        lines = str(Reports({"jac": RIGHT}, ("a note",), ("hessp: why",))).splitlines()
        assert lines[2].startswith("jac: AGREE to ")
        assert lines[3:] == ["not checked: hessp: why", "note: a note"]

    def test_details_of_what_failed(self):
        """What failed is shown whole, once for all points; what passed is not."""
        text = str(Reports({"a at x0": RIGHT, "b at x0": WRONG, "b at point 1": WRONG}))
        assert text.count("worst coordinates") == 1
        assert "b at x0\n-------\nDISAGREE: 1 of 1" in text
        assert "b at point 1: DISAGREE" in text

    def test_hostile_names(self):
        """A name with characters that act on a terminal is printed harmlessly."""
        assert "\x1b" not in str(Reports({"a\x1b[31m": WRONG}, ("n\x1b",), ("u\x1b",)))


class TestFaces:
    def test_mapping(self):
        """Reports are found by name, and failed ones are listed with those that disagree first."""
        reports = Reports({"a": UNDECIDED, "b": WRONG, "c": RIGHT})
        assert reports["c"] is RIGHT
        assert list(reports.failed) == ["b", "a"]
        assert reports.evaluations == sum(r.evaluations for r in (UNDECIDED, WRONG, RIGHT))
        assert reports.seconds > 0
        assert repr(reports) == "<fastgrad.Reports: disagree, 1 of 3 checks passed>"

    def test_json(self, tmp_path):
        """All reports are in one JSON object, which is written to a file too."""
        path = tmp_path / "reports.json"
        text = Reports({"a": WRONG}, ("a note",)).to_json(path)
        found = json.loads(text)
        assert (found["format"], found["version"], found["verdict"]) == ("fastgrad.reports", 1, "disagree")
        assert found["reports"]["a"] == json.loads(WRONG.to_json())
        assert path.read_text() == text + "\n"

    def test_raise_if_failed(self):
        """Reports that passed raise nothing; others GradientError with the text, which can be pickled."""
        Reports({"a": RIGHT}).raise_if_failed()
        reports = Reports({"a": WRONG})
        with pytest.raises(fastgrad.GradientError, match="DISAGREE: a disagrees") as raised:
            reports.raise_if_failed()
        assert raised.value.report is reports
        again = pickle.loads(pickle.dumps(raised.value)).report
        assert str(again) == str(reports)
