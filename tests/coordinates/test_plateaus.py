"""Costs that stand still at fine steps: a claim of zero is not called wrong, and what is known is said."""

from __future__ import annotations

import numpy as np
import pytest

import fastgrad

X = np.array([0.3, 0.7, 1.1])


@pytest.mark.parametrize("decimals", [4, 6, 9])
def test_rounded_to_decimals(decimals):
    """Zero is the slope of a rounded cost between its jumps: the report says so, and how high they are."""
    report = fastgrad.check_gradient(lambda x: round(float(np.sum(np.sin(x))), decimals), lambda x: 0 * x, X)
    assert report.verdict == "undecided"
    assert {f.code for f in report.undecided} == {"plateau"}
    assert f"jumps by {10.0**-decimals:.2g} between" in report.undecided[0].cause


@pytest.mark.parametrize("decimals", [4, 6, 9])
def test_the_average_agrees(decimals):
    """The slope that the cost has on average agrees, and its negative does not."""
    cost = lambda x: round(float(np.sum(np.sin(x))), decimals)  # noqa: E731
    assert fastgrad.check_gradient(cost, np.cos, X).verdict == "agree"
    assert fastgrad.check_gradient(cost, lambda x: -np.cos(x), X).verdict == "disagree"


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_gradient_that_was_never_filled(dtype):
    """Rounding to a dtype is no plateau: zeros in the place of a gradient are called wrong."""
    cost = lambda x: dtype(np.sum(np.sin(x.astype(dtype))))  # noqa: E731
    assert fastgrad.check_gradient(cost, lambda x: 0 * x, X).verdict == "disagree"


def test_zero_in_one_place():
    """Where other entries are not zero a zero is one that was forgotten."""
    report = fastgrad.check_gradient(
        lambda x: round(float(np.sum(np.sin(x))), 6), lambda x: np.cos(x) * [1, 0, 1], X
    )
    assert [f.label for f in report.wrong] == ["params[1]"]
