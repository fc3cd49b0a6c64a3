"""Coordinates are measured as far as it takes to decide them: verdicts, prices and reasons, end to end."""

from __future__ import annotations

import math
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fastgrad
from fastgrad import Dense, Network, ReLU, SoftmaxCrossEntropy, Tanh


def mlp(activation, samples=32, seed=0):
    """A 20-30-30-5 network with a batch: 1,715 parameters."""
    rng = np.random.default_rng(seed)
    layers = [Dense(20, 30), activation, Dense(30, 30), activation, Dense(30, 5)]
    net = Network(layers, SoftmaxCrossEntropy())
    args = (rng.normal(size=(samples, 20)), rng.integers(0, 5, samples))
    return net, net.initial_parameters(seed), args


class TestPrice:
    @pytest.mark.parametrize(("activation", "most"), [(Tanh(), 2.3), (ReLU(), 3.0)], ids=repr)
    def test_evaluations_per_coordinate(self, activation, most):
        """A right gradient costs 2.3 evaluations a coordinate at most (3 with relu), beyond 96 a block."""
        net, params, args = mlp(activation)
        report = fastgrad.check_gradient(net.cost, net.gradient, params, args=args)
        assert report.passed
        assert report.evaluations <= most * report.coverage.checked + 96 * len(params)

    def test_a_wrong_factor_everywhere(self):
        """Where everything is wrong alike four values at two unrelated steps confirm it, and no ladder."""
        net, params, args = mlp(Tanh())
        claimed = {k: 1.01 * g for k, g in net.gradient(params, *args).items()}
        report = fastgrad.check_gradient(net.cost, claimed, params, args=args)
        assert len(report.wrong) == report.coverage.checked
        assert report.evaluations < 20 * report.coverage.checked

    def test_what_noise_drowns_everywhere_is_sampled(self):
        """Where everything is undecided alike a sample goes up the ladder; the report says so."""
        x = np.linspace(0.5, 1.5, 400)
        report = fastgrad.check_gradient(lambda x: 1e16 + float(np.sum(np.sin(x))), np.cos, x)
        assert len(report.undecided) == 400
        assert report.evaluations < 40 * 400
        assert "measured by a few values only" in " ".join(report.notes)


class TestVerdicts:
    @given(st.integers(0, 10**6))
    @settings(max_examples=10)
    def test_relu_networks(self, seed):
        """Right gradients of relu networks agree, whatever kinks lie beside the steps."""
        net, params, args = mlp(ReLU(), samples=8, seed=seed)
        report = fastgrad.check_gradient(
            net.cost, net.gradient, params, args=args, coordinates=300, seed=seed
        )
        assert report.verdict in ("agree", "undecided")
        assert {u.cause.split(":")[0] for u in report.undecided} <= {"kink"}

    @pytest.mark.parametrize("size", [1e-1, 1e-2, 1e-3, 1e-4, 1e-5])
    @pytest.mark.parametrize("activation", [Tanh(), ReLU()], ids=repr)
    def test_one_wrong_coordinate(self, activation, size):
        """One coordinate off by 1e-5 of its block's rms or more is found, and no other is accused."""
        net, params, args = mlp(activation)
        claimed = net.gradient(params, *args)
        claimed["2.weight"][17, 3] += size * np.sqrt(np.mean(claimed["2.weight"] ** 2))
        report = fastgrad.check_gradient(net.cost, claimed, params, args=args)
        assert [f.label for f in report.wrong] == ["2.weight[17, 3]"]
        assert not report.undecided

    def test_kinks(self):
        """A kink at the point is undecided inside its subgradients and wrong outside of them."""
        x = np.array([0.0, 0.0, 1.0])
        cost, inside = (lambda x: float(np.abs(x).sum())), np.array([0.3, -1.0, 1.0])
        report = fastgrad.check_gradient(cost, inside, x)
        assert (len(report.wrong), [u.index for u in report.undecided]) == (0, [(0,), (1,)])
        assert "slopes of -1 and 1; the claimed 0.3 lies between them" in report.undecided[0].cause
        assert [f.index for f in fastgrad.check_gradient(cost, np.array([1.3, -1, 1]), x).wrong] == [(0,)]

    @pytest.mark.parametrize(("distance", "verdicts"), [(1e-3, "agree"), (1e-6, "agree undecided")])
    def test_end_of_the_domain(self, distance, verdicts):
        """Steps shrink before the end of the domain; so close that noise drowns them, noise is the reason."""
        x = np.array([distance, 0.3, 2.0])
        cost = lambda x: -distance * sum(math.log(v) for v in x) + float(np.sum(x**2))  # noqa: E731
        report = fastgrad.check_gradient(cost, -distance / x + 2 * x, x)
        assert report.verdict in verdicts.split()
        assert {u.cause.split(":")[0] for u in report.undecided} <= {"noise"}

    def test_the_costs_own_exception_is_quoted(self):
        """Where no step stays inside the domain the coordinate is undecided, in the cost's own words."""

        def cost(x):
            if x[0] != 0.5:
                raise ValueError("my domain is one point")
            return float(np.sum(x**2))

        report = fastgrad.check_gradient(cost, np.array([1.0, 2.0]), np.array([0.5, 1.0]))
        assert [u.index for u in report.undecided] == [(0,)]
        assert "(ValueError: my domain is one point)" in report.undecided[0].cause

    def test_jump(self):
        """Where the cost jumps there is nothing to decide, and the reason is said."""
        report = fastgrad.check_gradient(
            lambda x: float(np.sum(np.floor(x)) + x[1]), np.array([0.0, 1.0]), np.array([1.0, 0.5])
        )
        assert [u.cause.split(":")[0] for u in report.undecided] == ["jump"]

    def test_noise_is_said(self):
        """A cost computed in float32 inside is recognised, and the report says what it costs."""
        w = np.linspace(0.5, 1.5, 20)
        cost = lambda x: float(np.sum(np.tanh((w * x).astype(np.float32))))  # noqa: E731
        x = np.linspace(-1, 1, 20)
        right = w / np.cosh(w * x) ** 2
        report = fastgrad.check_gradient(cost, right, x)
        assert report.verdict == "agree"
        assert "float32" in " ".join(report.notes)
        assert 1e-9 < report.noise["params"] < 1e-4
        finer = fastgrad.check_gradient(cost, right, x, resolution=1e-6)
        assert finer.verdict == "undecided"
        assert all(u.cause.startswith("noise: ") for u in finer.undecided)

    @pytest.mark.parametrize("share", [1.0, 1.01, 0.0, -1.0, 1e-6, 1e-12, 1e-20])
    def test_a_tiny_parameter_that_moves_the_cost(self, share):
        """A parameter of 1e-12 whose cost has its shape there is judged there, whatever is claimed."""
        cost = lambda x: float(1 / (1 + (1e12 * x[0]) ** 2) + np.sum(np.sin(x[1:])))  # noqa: E731
        x = np.append(1e-12, np.linspace(0.5, 1.5, 7))
        claimed = np.append(-share * 1e12 / 2, np.cos(x[1:]))
        report = fastgrad.check_gradient(cost, claimed, x)
        assert [f.index for f in report.wrong] == ([] if share == 1.0 else [(0,)])
        assert not report.undecided

    def test_report_travels(self):
        """A report with undecided coordinates of every kind can be pickled, causes and all."""
        report = fastgrad.check_gradient(
            lambda x: float(np.abs(x).sum()), np.zeros(2), np.array([0.0, 1e-12])
        )
        other = pickle.loads(pickle.dumps(report))
        assert [u.cause for u in other.undecided] == [u.cause for u in report.undecided]


class TestScales:
    @pytest.mark.parametrize("scale", [1e-8, 1e-4, 1.0, 1e4, 1e8])
    @pytest.mark.parametrize("unit", [1e-12, 1.0, 1e12])
    def test_parameters_and_gradients_of_any_size(self, scale, unit):
        """A right gradient agrees and one off by 1e-4 does not, in any units of parameter and cost."""
        x = scale * np.linspace(0.5, 1.5, 12)
        cost = lambda x: unit * float(np.sum(np.sin(x / scale)))  # noqa: E731
        right = unit / scale * np.cos(x / scale)
        assert fastgrad.check_gradient(cost, right, x).passed
        wrong = right * np.where(np.arange(12) == 5, 1.0001, 1.0)
        assert [f.index for f in fastgrad.check_gradient(cost, wrong, x).wrong] == [(5,)]


class TestRoundingInside:
    """Costs that lose small changes before their last operation: small steps then show no change at all."""

    def verdicts(self, cost, gradient, points):
        """All verdicts that come of checks at these points."""
        return {fastgrad.check_gradient(cost, gradient, x).verdict for x in points}

    @pytest.mark.parametrize(
        ("cost", "gradient", "scale"),
        [
            (lambda x: -np.sum(np.log(1 / (1 + np.exp(-x)))), lambda x: -1 / (1 + np.exp(x)), 1.0),
            (lambda x: np.sum(1 - np.tanh(x)), lambda x: -1 / np.cosh(x) ** 2, 0.55),
            (lambda x: np.sum(np.exp(x - 30) + 8) - 8 * len(x), lambda x: np.exp(x - 30), 1.0),
        ],
        ids=["cross-entropy", "1 - tanh", "beside a constant"],
    )
    def test_right_gradients_are_not_accused(self, cost, gradient, scale):
        """That nothing moves at small steps is no derivative of zero."""
        rng = np.random.default_rng(0)
        points = [scale * rng.uniform(5, 25, rng.integers(2, 12)) for _ in range(25)]
        assert "disagree" not in self.verdicts(cost, gradient, points)

    def test_softmax_with_a_margin(self):
        """Nor for a class that is all but certain, whose derivatives cancel to 1e-11 of their terms."""
        rng = np.random.default_rng(1)

        def cost(z):
            return z.max() + np.log(np.exp(z - z.max()).sum()) - z[0]

        def gradient(z):
            p = np.exp(z - z.max())
            p /= p.sum()
            p[0] -= 1
            return p

        points = [np.r_[rng.normal(18, 4), rng.normal(size=5)] for _ in range(25)]
        assert "disagree" not in self.verdicts(cost, gradient, points)

    def test_dead_units_of_a_network(self):
        """A block of a Network in which the probes move nothing is not taken for one without any noise."""
        for seed in range(6):
            rng = np.random.default_rng(seed)
            layers = [Dense(7, 9), ReLU(), fastgrad.LayerNorm(9), Dense(9, 3)]
            net = Network(layers, SoftmaxCrossEntropy())
            params = {k: v + 0.1 * rng.normal(size=v.shape) for k, v in net.initial_parameters(seed).items()}
            params["0.bias"] -= 1.5
            report = fastgrad.check(net.problem(params, rng.normal(size=(1, 7)), np.array([1])))
            assert report.verdict != "disagree"


class TestNoScale:
    @pytest.mark.parametrize("factor", [-1.0, 0.0, 1.001])
    def test_steep_costs(self, factor):
        """Where steps that suit one coordinate explode in another, a wrong gradient is not called right."""
        x = np.array([100.0, 300.0, 500.0])
        for seed in range(6):
            report = fastgrad.check_gradient(
                lambda x: np.sum(np.exp(x)), lambda x: factor * np.exp(x), x, seed=seed
            )
            assert report.verdict != "agree"

    @pytest.mark.parametrize("offset", [0.0, 1.0, 1e6])
    def test_saddle_of_third_order(self, offset):
        """At x = 0 the derivative of x^3 is zero, by differences and by a complex step alike."""
        zeros = np.zeros(3)
        report = fastgrad.check_gradient(lambda x: offset + np.sum(x**3), lambda x: 3 * x**2, zeros)
        assert report.verdict == "agree"

    def test_slopes_that_run_away(self):
        """x log x at 0 has no slope on one side: there is nothing to be right or wrong about."""
        report = fastgrad.check_gradient(
            lambda x: np.sum(np.where(x > 0, x * np.log(np.maximum(x, 1e-300)), 0)),
            lambda x: np.log(np.maximum(x, 1e-300)) + 1,
            np.array([0.0, 1.0, 2.0]),
        )
        assert [u.label for u in report.undecided] == ["params[0]"]
        assert not report.wrong
