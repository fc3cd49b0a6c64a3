"""Random directions as a second witness: when they are asked, and what is measured again for them."""

from __future__ import annotations

import numpy as np
import pytest

import fastgrad

SAID = "the differences add up along "


def said_by_directions(report):
    """The sentences of a report that are about them."""
    return [said for said in report.witnesses if said.startswith(SAID)]


def sines(x):
    """A smooth cost."""
    return float(np.sum(np.sin(x)))


X = np.linspace(-1.0, 2.0, 12)


class TestAsked:
    def test_what_is_said(self):
        """The report says along how many directions the differences add up, and the chance that this misses."""
        [said] = said_by_directions(fastgrad.check_gradient(sines, np.cos, X))
        assert said.startswith(
            "the differences add up along 6 random directions, at far smaller steps than their own"
        )
        assert said.endswith("but for a chance of 2^-6")

    def test_more_of_many(self):
        """Of many coordinates more directions are asked."""
        x = np.random.default_rng(0).normal(size=600)
        [said] = said_by_directions(fastgrad.check_gradient(sines, np.cos, x))
        assert said.endswith("but for a chance of 2^-15")

    def test_of_a_subset(self):
        """They go through the coordinates that were checked, and through no others."""
        x = np.linspace(-1.0, 2.0, 40)
        moved = np.zeros(40, dtype=bool)

        def cost(y):
            moved[y != x] = True
            return sines(y)

        report = fastgrad.check_gradient(cost, np.cos(x), x, coordinates=[3, 5, 20])
        assert said_by_directions(report)
        assert np.flatnonzero(moved).tolist() == [3, 5, 20]

    def test_counted(self):
        """Their evaluations are counted, and put down as those of witnesses."""
        calls = []
        report = fastgrad.check_gradient(lambda x: calls.append(1) or sines(x), np.cos(X), X)
        assert report.evaluations == len(calls) == sum(report.spent.values())
        assert report.spent["witnesses"] >= 2 * 6

    def test_within_a_budget(self):
        """They are asked where there is a budget, and keep to it."""
        report = fastgrad.check_gradient(sines, np.cos, X, max_evaluations=200)
        assert said_by_directions(report)
        short = fastgrad.check_gradient(sines, np.cos, X, max_evaluations=report.evaluations - 6)
        assert short.evaluations <= report.evaluations - 6


class TestNotAsked:
    @pytest.mark.parametrize("options", [{"tolerance": 1e-4}, {"method": "complex"}])
    def test_options(self, options):
        """Not with a fixed tolerance, nor where the complex step measured all."""
        assert (
            said_by_directions(fastgrad.check_gradient(lambda x: np.sum(np.sin(x)), np.cos, X, **options))
            == []
        )

    def test_known_structure(self):
        """Not of an engine that knows the structure of the cost."""
        net = fastgrad.Network([fastgrad.Dense(4, 3), fastgrad.Tanh()], fastgrad.HalfSquaredError())
        rng = np.random.default_rng(0)
        problem = net.problem(net.initial_parameters(0), rng.normal(size=(5, 4)), rng.normal(size=(5, 3)))
        assert said_by_directions(fastgrad.check(problem)) == []
        assert said_by_directions(fastgrad.check(problem, engine="python"))


def bump(p):
    """A feature a tenth wide beside a straight line."""
    return float(np.exp(-100 * p[0] ** 2) + p[1] / 10)


def bumps(p):
    """Fifty of them beside two hundred quadratic entries."""
    return float(np.sum(np.exp(-100 * p[:50] ** 2)) + np.sum(p[50:] ** 2))


BUMPS = np.r_[np.linspace(0.02, 0.04, 50), np.linspace(0.5, 2.0, 200)]
RIGHT = np.r_[-200 * BUMPS[:50] * np.exp(-100 * BUMPS[:50] ** 2), 2 * BUMPS[50:]]


class TestNarrowFeatures:
    def test_one_beside_a_line(self):
        """A zero claimed for a narrow feature is wrong, however wide the steps of its neighbours may be."""
        x = np.array([0.03, 10.0])
        right = np.array([-200 * 0.03 * np.exp(-0.09), 0.1])
        assert fastgrad.check_gradient(bump, right, x).verdict == "agree"
        report = fastgrad.check_gradient(bump, np.array([0.0, 0.1]), x)
        assert [f.flat_index for f in report.wrong] == [0]
        found = fastgrad.numerical_gradient(bump, x)
        assert (np.abs(found.values - right) <= found.error_bound + 1e-15).all()

    def test_many_beside_quadratic_ones(self):
        """Fifty zeros claimed for fifty narrow features are wrong, and nothing else is."""
        assert fastgrad.check_gradient(bumps, RIGHT, BUMPS).verdict == "agree"
        report = fastgrad.check_gradient(bumps, RIGHT * (np.arange(250) >= 50), BUMPS)
        assert {f.flat_index for f in report.wrong} == set(range(50))

    def test_measured_again(self):
        """What differences miss at their own steps is found by directions, and measured again closer by."""
        x = np.array([1.0, 0.7, -0.4])
        step = 2.0**-10

        def waves(x):  # of which the given step, and twice that, is a period
            return float(np.sum(x**2) + 1e-3 * np.sin(2 * np.pi * (x[0] - 1.0) / step))

        claim = 2 * x
        report = fastgrad.check_gradient(waves, claim, x, step=step)
        assert [f.flat_index for f in report.wrong] == [0]
        found = fastgrad.numerical_gradient(waves, x, step=step)
        assert abs(found.values[0] - (2 + 1e-3 * 2 * np.pi / step)) <= found.error_bound[0]
