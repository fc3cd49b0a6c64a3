"""Independent tests of a gradient: when they are asked, and what they decide."""

from __future__ import annotations

import numpy as np
import pytest

import fastgrad
from fastgrad.strategy.ask_witnesses import PATH_SHARE
from fastgrad.witnesses.path_integral import CALLS

X = np.linspace(-1.0, 1.0, 12)


def lost_in_noise(x):
    """A sum of sines beside a large number: differences know their derivatives to a few digits only."""
    return np.sum(np.sin(x)) + 1e9


def by(report, witness):
    """The sentences of a witness in a report."""
    return [said for said in report.witnesses if said.startswith(witness)]


def test_the_complex_step_decides_what_noise_hides():
    """What differences saw to less than 1e-6 the complex step decides, where the whole cost is analytic."""
    report = fastgrad.check_gradient(lost_in_noise, np.cos, X)
    assert report.verdict == "agree"
    [said] = by(report, "the complex step")
    assert said.startswith(
        "the complex step decided 12 coordinates that differences saw to less than 1e-06 of "
    )
    assert report.resolution < 1e-12
    wrong = fastgrad.check_gradient(lost_in_noise, lambda x: np.cos(x) * (1 + 1e-5), X)
    assert wrong.verdict == "disagree"


def test_it_is_not_believed_for_a_cost_that_is_not_analytic():
    """A cost that loses imaginary parts is judged by differences: agree to what they see, else undecided.

    Where something is undecided, the report says why the complex step was not asked.
    """
    cost, gradient = lambda x: lost_in_noise(np.abs(x)), lambda x: np.cos(x) * np.sign(x)
    report = fastgrad.check_gradient(cost, gradient, X)
    assert report.verdict == "agree"
    assert report.resolution > 1e-6
    assert by(report, "the complex step") == []
    finer = fastgrad.check_gradient(cost, gradient, X, resolution=1e-8)
    assert finer.verdict == "undecided"
    [said] = by(finer, "the complex step")
    assert said.startswith(
        "the complex step was not asked for the undecided coordinates: it uses np.absolute"
    )


@pytest.mark.parametrize("options", [{"budget": 60.0}, {"max_evaluations": 5000}, {"tolerance": 1e-3}])
def test_not_within_limits(options):
    """Where there is a budget, or a fixed tolerance, neither complex step nor path integral is asked."""
    report = fastgrad.check_gradient(lost_in_noise, np.cos, X, **options)
    assert by(report, "the complex step") == by(report, "along ") == []
    long = fastgrad.check_gradient(
        lambda p: float(np.sum(np.sin(p))), np.cos, np.linspace(-1, 1, 700), **options
    )
    assert by(long, "along ") == []


def test_the_path_integral_is_said_when_it_agrees():
    """The path integral is asked where its calls are few beside the evaluations, and what it saw is said."""
    cost = lambda p: float(np.sum(np.sin(p)))  # noqa: E731
    for n, is_asked in ((300, False), (700, True)):
        report = fastgrad.check_gradient(cost, np.cos, np.linspace(-1, 1, n), engine="python")
        assert (report.evaluations - report.spent["witnesses"] >= PATH_SHARE * CALLS) == is_asked
        said = by(report, "along ")
        assert len(said) == is_asked
        assert all("adds up to what the cost rises by" in sentence for sentence in said)


def test_their_evaluations_are_counted():
    """Every call of the cost is in the count of the report; those of witnesses have a part of their own."""
    calls = []

    def counted(x):
        calls.append(1)
        return lost_in_noise(x)

    for x in (X, np.linspace(-1, 1, 700)):
        calls.clear()
        report = fastgrad.check_gradient(counted, np.cos, x, engine="python")
        assert by(report, "the complex step")
        assert report.evaluations == sum(report.spent.values()) == len(calls)
        assert report.spent["witnesses"] > len(x)
