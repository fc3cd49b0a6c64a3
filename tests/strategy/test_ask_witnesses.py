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


class Interrupted:
    """A sum of sines beside a large number, and its gradient; Ctrl-C comes at a call of one of them."""

    def __init__(self, base, cost_ends=0, gradient_ends=0):
        self.base, self.calls, self.ends = base, [0, 0], (cost_ends, gradient_ends)

    def count(self, which):
        """Count a call."""
        self.calls[which] += 1
        if self.calls[which] == self.ends[which]:
            raise KeyboardInterrupt

    def cost(self, x):
        """The cost."""
        self.count(0)
        return np.sum(np.sin(x)) + self.base

    def gradient(self, x):
        """The gradient."""
        self.count(1)
        return np.cos(x)

    def report(self, x):
        """Of a check."""
        return fastgrad.check_gradient(self.cost, self.gradient, x, coordinates="all", engine="python")


class TestCtrlC:
    def test_before_the_path_integral(self):
        """After Ctrl-C the gradient is not called for the path integral any more."""
        x = np.linspace(-1, 1, 900)
        whole, ended = Interrupted(0.0), Interrupted(0.0, cost_ends=1950)
        assert by(whole.report(x), "along ")
        report = ended.report(x)
        assert (report.stopped, by(report, "along ")) == ("interrupted", [])
        assert report.evaluations >= PATH_SHARE * CALLS
        assert ended.calls[1] < whole.calls[1] - CALLS / 2

    @pytest.mark.parametrize(("base", "n", "which"), [(0.0, 700, 1), (1e9, 12, 0)])
    def test_while_a_witness_is_asked(self, base, n, which):
        """Ctrl-C during the path integral, or the complex step, ends with a report of what was measured."""
        x = np.linspace(-1, 1, n)
        whole = Interrupted(base)
        assert len(whole.report(x).witnesses) > 0
        ends = [0, 0]
        ends[which] = whole.calls[which] - 2
        ended = Interrupted(base, *ends)
        report = ended.report(x)
        assert (report.verdict, report.stopped) == ("agree", "interrupted")
        assert report.coverage.checked == n
        assert by(report, "along ") == by(report, "the complex step") == []
        assert report.evaluations == ended.calls[0]

    def test_before_the_complex_step(self, monkeypatch):
        """Ctrl-C at the first call for the complex step ends with that report too."""

        def interrupted(functions):
            raise KeyboardInterrupt

        monkeypatch.setattr("fastgrad.witnesses.analytic_arrays.why_not_analytic", interrupted)
        report = Interrupted(1e9).report(X)
        assert (report.verdict, report.stopped, report.coverage.checked) == ("agree", "interrupted", len(X))


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
