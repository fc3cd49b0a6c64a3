"""Random directions as a second witness: when they are asked, what they find, and what is said of it."""

from __future__ import annotations

import re

import numpy as np
import pytest

import fastgrad
from fastgrad import Dense, Network, SoftmaxCrossEntropy, Tanh

X = np.linspace(0.3, 2.7, 12)


def waves(x):
    """A smooth cost."""
    return float(np.sum(np.sin(x)))


SAID = re.compile(
    r"^the differences add up along (\d+) random directions, at far smaller steps than their own: none is "
    r"off by more than ([0-9.e+-]+) of itself \(the typical one\), but for a chance of 2\^-(\d+)"
    r"(; (\d+) coordinates were measured again for them, and have another derivative closer by)?$"
)


def heard(report):
    """How many directions a report speaks of, the error they exclude, and how many were measured again."""
    said = [found for found in map(SAID.match, report.witnesses) if found]
    if not said:
        return None
    [found] = said
    assert found[1] == found[3]
    return int(found[1]), float(found[2]), int(found[5] or 0)


class TestWhenTheyAreAsked:
    def test_of_a_plain_cost(self):
        """Where differences were taken one by one, directions are asked and what they exclude is said."""
        count, share, anew = heard(fastgrad.check_gradient(waves, np.cos, X))
        assert (count, anew) == (6, 0)
        assert 0 < share < 0.1

    def test_of_a_wrong_gradient_too(self):
        """The claim does not matter to them: they ask whether what was found adds up."""
        report = fastgrad.check_gradient(waves, lambda x: 2 * np.cos(x), X)
        assert len(report.wrong) == 12
        assert heard(report)[0] == 6

    @pytest.mark.parametrize("options", [{"method": "complex"}, {"tolerance": 1e-3}])
    def test_not_with_these_options(self, options):
        """They are not asked under the complex step, nor with a fixed tolerance."""
        cost = lambda x: np.sum(np.sin(x))  # noqa: E731
        assert heard(fastgrad.check_gradient(cost, np.cos, X, **options)) is None

    def test_not_of_a_network(self):
        """They are not asked of an engine that knows the structure of the cost."""
        net = Network([Dense(4, 5), Tanh(), Dense(5, 3)], SoftmaxCrossEntropy())
        rng = np.random.default_rng(0)
        problem = net.problem(net.initial_parameters(0), rng.normal(size=(6, 4)), rng.integers(0, 3, 6))
        assert heard(fastgrad.check(problem)) is None

    @pytest.mark.parametrize("most", [60, 120, 200])
    def test_within_the_budget(self, most):
        """They take no more evaluations than there is budget for."""
        calls = []

        def cost(x):
            calls.append(0)
            return waves(x)

        report = fastgrad.check_gradient(cost, np.cos, X, max_evaluations=most)
        assert len(calls) <= most
        assert report.evaluations <= most

    def test_nothing_is_said_where_nothing_is_excluded(self):
        """Where noise hides the slope along every direction, nothing is said to add up."""
        report = fastgrad.check_gradient(lambda x: 1e16 + waves(x), np.cos, X)
        assert report.verdict == "undecided"
        assert heard(report) is None

    def test_parameters_stay(self):
        """The user's parameters are as they were."""
        x = X.copy()
        fastgrad.check_gradient(waves, np.cos, x)
        np.testing.assert_array_equal(x, X)


class TestWhatTheyFind:
    """Features of a cost that differences step over: right and wrong twins."""

    def bumpy(self, width, at=7):
        """A cost with a feature of that width at one coordinate, whose slope is one more than beside it."""
        scale = width * X[at]
        return lambda x: waves(x) + scale * float(np.tanh((x[at] - X[at]) / scale))

    @pytest.mark.parametrize("width", [1e-6, 1e-7, 1e-8, 1e-9, 1e-11])
    def test_a_narrow_feature(self, width):
        """The slope of a narrow feature is part of the derivative: with it a claim is right, else wrong."""
        with_it = np.cos(X) + (np.arange(12) == 7)
        assert fastgrad.check_gradient(self.bumpy(width), with_it, X).verdict == "agree"
        wrong = fastgrad.check_gradient(self.bumpy(width), np.cos(X), X)
        assert [f.index for f in wrong.wrong] == [(7,)]

    @pytest.mark.parametrize("width", [1e-12, 1e-13])
    def test_what_a_direction_led_to_is_not_forgotten(self, width):
        """Another derivative that was found closer by is not replaced by that of wider steps again."""
        with_it = np.cos(X) + (np.arange(12) == 7)
        right = fastgrad.check_gradient(self.bumpy(width), with_it, X)
        assert heard(right)[2] > 0
        assert right.verdict != "disagree"
        assert fastgrad.check_gradient(self.bumpy(width), np.cos(X), X).verdict != "agree"

    @pytest.mark.parametrize("exponent", [-12, -17, -20, -24])
    def test_a_wave_of_a_period_that_is_a_power_of_two(self, exponent):
        """A wave whose period is any power of two does not hide from steps that are powers of two."""
        k = 2 * np.pi * 2.0**-exponent
        cost = lambda x: waves(x) + float(np.sin(k * x[3])) / k  # noqa: E731
        slope = np.cos(X) + (np.arange(12) == 3) * np.cos(k * X[3])
        assert abs(np.cos(k * X[3])) > 0.1
        assert not fastgrad.check_gradient(cost, slope, X).wrong
        wrong = fastgrad.check_gradient(cost, np.cos(X), X)
        assert wrong.verdict != "agree"
        assert {f.index for f in wrong.wrong} <= {(3,)}

    def test_what_was_measured_again_is_counted(self):
        """Coordinates that a direction led to are measured again, and counted in the sentence."""
        assert heard(fastgrad.check_gradient(self.bumpy(1e-12), np.cos(X), X))[2] == 1

    def test_without_a_claim(self):
        """The numerical gradient is measured again too where its differences do not add up."""
        found = fastgrad.numerical_gradient(self.bumpy(1e-8), X)
        truth = np.cos(X) + (np.arange(12) == 7)
        assert (np.abs(found.values - truth) <= found.error_bound).all()
