"""Checks as properties of their test, and back."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from report_cases import report_of, undecided_report

import fastgrad
from fastgrad.printable import printable
from fastgrad.pytest_plugin.properties import Check, as_properties, checks_in, next_number


def kinked(**options):
    """An undecided report on a block whose name would act on a terminal; all of it is undecided."""
    name = "\x1b[31m\n"
    return fastgrad.check_gradient(
        lambda p: float(np.sum(np.abs(p[name]))),
        lambda p: {name: np.sign(p[name])},
        {name: np.zeros(3)},
        **options,
    )


class TestProperties:
    @pytest.mark.parametrize("report", [report_of({}), report_of({"W": {(0, 1): 0.5}}), undecided_report()])
    def test_and_back(self, report):
        """What a report says comes back from the properties, also after a trip as JSON between processes."""
        checks = [Check.of(report), Check.of(report, "disk full")]
        properties = [("theirs", "1"), *as_properties(checks[0], 1), *as_properties(checks[1], 2)]
        assert checks_in(properties) == checks
        assert checks_in(json.loads(json.dumps(properties))) == checks
        assert checks[0].verdict == report.verdict
        assert checks[0].is_undecided == (report.verdict == "undecided")

    def test_plain_values(self):
        """Values are Python's own: execnet takes no NumPy numbers."""
        assert {type(value) for _, value in as_properties(Check.of(undecided_report()), 1)} <= {
            str,
            float,
            int,
        }

    def test_numbers(self):
        """The first check has no number, the second is number 2; other properties do not count."""
        properties = [("verdict", "theirs")]
        for number in (1, 2, 3):
            assert next_number(properties) == number
            properties += as_properties(Check.of(report_of({})), number)
        assert ("fastgrad.verdict", "agree") in properties
        assert ("fastgrad.verdict.3", "agree") in properties
        assert next_number(properties) == 4


class TestReason:
    def test_of_a_kink(self):
        """The reason is a printable line: the first coordinate, its cause, and how many others there are."""
        reason = Check.of(kinked()).reason
        assert reason.startswith("\\x1b[31m\\n[0]: kink: ")
        assert reason.endswith(" [FG502] (and 2 more coordinates)")
        assert printable(reason) == reason

    def test_of_a_doubt(self):
        """A check that its limit ended says so first."""
        report = fastgrad.check_gradient(
            lambda x: float(np.sum(np.sin(x))), np.cos, np.linspace(0, 1, 500), max_evaluations=10
        )
        assert report.verdict == "undecided"
        assert Check.of(report).reason == "budget: it had room for no more [FG506]"
        report = replace(kinked(), doubt="budget: it is over", doubt_reference="FG506")
        assert Check.of(report).reason.startswith("budget: it is over [FG506]; \\x1b[31m\\n[0]: kink: ")

    def test_none_where_decided(self):
        """What agrees or disagrees has no reason: the failure shows the report."""
        assert Check.of(report_of({})).reason == ""
        assert Check.of(report_of({"W": {(0, 1): 0.5}})).reason == ""
