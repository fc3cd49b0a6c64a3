"""Independent tests of a gradient: when they are asked, and what they decide."""

from __future__ import annotations

import numpy as np
import pytest

import fastgrad

X = np.linspace(-1.0, 1.0, 12)


def lost_in_noise(x):
    """A sum of sines beside a large number: differences know their derivatives to a few digits only."""
    return np.sum(np.sin(x)) + 1e9


def test_the_complex_step_decides_what_noise_hides():
    """What differences leave undecided the complex step decides, where the whole cost is analytic."""
    report = fastgrad.check_gradient(lost_in_noise, np.cos, X)
    assert report.verdict == "agree"
    assert "the complex step decided 12 coordinates" in report.witnesses[0]
    wrong = fastgrad.check_gradient(lost_in_noise, lambda x: np.cos(x) * (1 + 1e-5), X)
    assert wrong.verdict == "disagree"


def test_it_is_not_believed_for_a_cost_that_is_not_analytic():
    """A cost that loses imaginary parts stays undecided, and the report says why it was not asked."""
    report = fastgrad.check_gradient(lambda x: lost_in_noise(np.abs(x)), lambda x: np.cos(x) * np.sign(x), X)
    assert report.verdict == "undecided"
    assert report.witnesses[0].startswith("the complex step was not asked for the undecided coordinates: ")


@pytest.mark.parametrize("options", [{"budget": 60.0}, {"tolerance": 1e-3}])
def test_not_within_limits(options):
    """Where there is a budget, or a fixed tolerance, no witness is asked."""
    assert fastgrad.check_gradient(lost_in_noise, np.cos, X, **options).witnesses == ()


def test_the_path_integral_is_said_when_it_agrees():
    """From 512 parameters on, the claim's path integral is asked, and what it saw is said."""
    cost = lambda p: float(np.sum(np.sin(p)))  # noqa: E731
    said = {n: fastgrad.check_gradient(cost, np.cos, np.linspace(-1, 1, n)).witnesses for n in (500, 700)}
    assert said[500] == ()
    assert "adds up to what the cost rises by" in said[700][0]
