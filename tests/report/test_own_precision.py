"""A report with what the gradient is in its own precision."""

from __future__ import annotations

import json

import numpy as np
import pytest

import fastgrad
from fastgrad.problem.parameters import Parameters
from fastgrad.report.own_precision import with_own_precision
from fastgrad.witnesses.own_precision import OwnPrecision

AT = {"W": np.arange(1.0, 7.0).reshape(2, 3), "b": np.array([0.5])}
GRADIENT = np.concatenate([2 * np.arange(1.0, 7.0), [1.0]])


def reported(claimed, factor=1.0):
    """The report of a check in double precision, with these entries in single precision."""
    cost = lambda p: float(np.sum(p["W"] ** 2) + p["b"][0])  # noqa: E731
    gradient = lambda p: {"W": 2 * factor * p["W"], "b": np.ones(1)}  # noqa: E731
    report = fastgrad.check_gradient(cost, gradient, AT)
    own = OwnPrecision("float32", claimed, GRADIENT, 1e-6 * np.abs(GRADIENT))
    return report, with_own_precision(report, Parameters(AT), own, "autograd")


def test_agreeing():
    """The verdict stays, and the report says both."""
    before, after = reported(GRADIENT * (1 + 2e-7))
    assert after.verdict == before.verdict == "agree"
    expected = "autograd in float64: agree; in float32, beside float64: agree to 2e-07 of its norm"
    assert after.witnesses[0].startswith(expected)
    assert "witness: autograd in float64: agree" in str(after)
    assert after.witnesses[1:] == before.witnesses


def test_wrong_there_only():
    """Where single precision is wrong the verdict is disagree, with its coordinates, worst first."""
    claimed = GRADIENT.copy()
    claimed[[2, 4]] *= [1.01, 1.1]
    before, after = reported(claimed)
    assert (before.verdict, after.verdict) == ("agree", "disagree")
    assert [f.label for f in after.wrong] == ["W[1, 1]", "W[0, 2]"]
    assert after.wrong[0].code == "own_precision"
    assert "in float32 off by 1 from the gradient in float64" in after.wrong[0].cause
    assert [(row.name, row.wrong, row.verdict) for row in after.blocks] == [
        ("W", 2, "disagree"),
        ("b", 0, "agree"),
    ]
    assert "wrong in float32 only" in after.diagnosis[-1]
    assert after.relative_error == pytest.approx(fastgrad.relative_error(claimed, GRADIENT))
    assert np.array_equal(after.claimed, claimed)
    text = str(after)
    assert text.startswith("DISAGREE: 2 of 7 checked coordinates are wrong; the worst is W[1, 1]")
    assert "in float32, beside float64: disagree, 2 of 7 entries" in text
    assert json.loads(after.to_json())["verdict"] == "disagree"


def test_wrong_already():
    """What is wrong in double precision stays as it was found there."""
    before, after = reported(GRADIENT * 1.5, factor=1.1)
    assert after.verdict == "disagree"
    assert [f.label for f in after.wrong] == [f.label for f in before.wrong]
    assert "autograd in float64: disagree" in after.witnesses[0]
