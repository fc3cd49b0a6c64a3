"""Node perturbation: derivatives carried from pre-activations are those of perturbing weights and biases."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from network_cases import JIT, LOSSES, NETWORKS, dense_networks, parameters_of

import fastgrad
from fastgrad import networks
from fastgrad.differences.plan import make_plan
from fastgrad.differences.stencils import CENTRAL
from fastgrad.engines.network.engine import NetworkEngine
from fastgrad.problem.parameters import Parameters

STEP = 2.0**-20
"""So small that next to no relu has its kink within it, and truncation is far below the tolerances."""


def by_nodes_and_by_weights(net, params, X, Y, rtol):
    """The derivatives both ways agree to `rtol` of the largest, at every coordinate."""
    parameters = Parameters({k: v.astype(np.float64) for k, v in params.items()})
    engine = NetworkEngine(net.cost, parameters, (X, Y), net)
    everything = np.arange(parameters.size)
    plain = make_plan(parameters, everything, CENTRAL, STEP)
    expected = CENTRAL.derivative(engine.values(everything, plain.displacements), plain.displacements, 0.0)
    moving = engine.through_nodes("nodes", everything)
    needed = moving.space.needed(everything)
    plan = make_plan(moving.parameters, needed, CENTRAL, STEP)
    d = CENTRAL.derivative(moving.values(needed, plan.displacements), plan.displacements, 0.0)
    found, bound = moving.space.carry(everything, needed, d, np.zeros(len(d)))
    assert np.abs(found - expected).max() <= rtol * max(1.0, np.abs(expected).max())
    assert np.isfinite(bound).all()


class TestExact:
    @given(dense_networks(norms=False))
    @settings(max_examples=30 if JIT else 150)
    def test_random_dense_networks(self, drawn):
        """Random dense architectures, activations and losses: node and weight perturbation agree."""
        net, params, X, Y, _ = drawn
        with np.errstate(all="ignore"):
            by_nodes_and_by_weights(net, params, X, Y, 1e-6)

    @pytest.mark.parametrize(
        "before",
        [
            [networks.BatchNorm(4), networks.Tanh()],
            [networks.Dropout(0.3), networks.Tanh()],
            [networks.LayerNorm(4)],
            [networks.Residual([networks.Dense(4, 4), networks.BatchNorm(4)])],
            [networks.Residual([networks.Dense(4, 4), networks.Tanh()])],
        ],
        ids=repr,
    )
    def test_before_every_kind_of_layer(self, before):
        """A Dense layer before one that couples samples or has no kernel is moved one node at a time."""
        rng = np.random.default_rng(0)
        net = networks.Network([networks.Dense(3, 4), *before, networks.Dense(4, 2)], LOSSES[2], l2=0.3)
        X, Y = rng.normal(size=(5, 3)), rng.integers(0, 2, 5)
        by_nodes_and_by_weights(net, parameters_of(net), X, Y, 1e-6)

    def test_dense_on_sequences(self):
        """A Dense layer on (samples, positions, features) has a node for each position too."""
        rng = np.random.default_rng(1)
        net = networks.Network(
            [
                networks.Embedding(7, 3),
                networks.Dense(3, 4),
                networks.Tanh(),
                networks.Flatten(),
                networks.Dense(20, 2),
            ],
            LOSSES[2],
        )
        X, Y = rng.integers(0, 7, size=(4, 5)), rng.integers(0, 2, 4)
        by_nodes_and_by_weights(net, parameters_of(net), X, Y, 1e-6)


class TestChecks:
    def problem(self, gradient=None):
        """A tanh network with a penalty and its gradient."""
        rng = np.random.default_rng(0)
        layers = [networks.Dense(6, 5), networks.Tanh(), networks.Dense(5, 3)]
        net = networks.Network(layers, LOSSES[2], l2=0.1)
        X, Y = rng.normal(size=(8, 6)), rng.integers(0, 3, 8)
        return net.problem(net.initial_parameters(), X, Y, gradient)

    def test_right_gradient_agrees(self):
        """A right gradient agrees, and the report says what was moved and taken for granted."""
        report = fastgrad.check(self.problem(), perturb="nodes")
        assert report.passed
        assert 2 * 8 * (5 + 3) < report.evaluations < 2 * report.coverage.checked + 300
        text = str(report)
        assert "perturbed: the pre-activations of layer 0, layer 2" in text
        assert "Taken for granted: that each of these layers is linear in its own weights" in text
        assert "derivative of the l2 penalty" in text

    @pytest.mark.parametrize("name", ["0.weight", "0.bias", "2.weight", "2.bias"])
    def test_wrong_entry_is_named(self, name):
        """One wrong entry of any block is found through nodes and named as the user's own."""
        right = self.problem()
        g = right.gradient(right.params, *right.args)
        g[name].reshape(-1)[-1] *= 1.001
        report = fastgrad.check(self.problem(g), perturb="nodes")
        last = next(b.stop for b in Parameters(g).blocks if b.name == name) - 1
        assert [(f.block, f.flat_index) for f in report.wrong] == [(name, last)]

    @given(st.integers(0, 1000), st.integers(1, 40))
    @settings(max_examples=20)
    def test_subset_is_part_of_the_whole(self, seed, size):
        """A random subset gets the numbers of the whole, to the rounding of a sum."""
        problem = self.problem()
        whole = fastgrad.check(problem, perturb="nodes")
        some = fastgrad.check(problem, perturb="nodes", coordinates=size, seed=seed)
        assert some.passed
        assert np.allclose(some.numeric, whole.numeric[some.indices], rtol=1e-13, atol=1e-15)
        assert np.allclose(some.error_bound, whole.error_bound[some.indices], rtol=1e-12)

    def test_auto_moves_what_takes_less_work(self):
        """With "auto" a layer is reached through its nodes where they are fewer than its coordinates."""
        problem = self.problem()
        assert "layer 0, layer 2" in fastgrad.check(problem, perturb="auto").perturbed
        few = fastgrad.check(problem, perturb="auto", coordinates=np.array([3]))
        assert few.perturbed == ""

    def test_auto_leaves_convolutions_alone(self):
        """Where nodes are many and weights few, weights are moved; the report says so."""
        rng = np.random.default_rng(0)
        layers = [networks.Conv2D(1, 2, 2), networks.Tanh(), networks.Flatten(), networks.Dense(50, 3)]
        net = networks.Network(layers, LOSSES[2])
        X, Y = rng.normal(size=(3, 1, 6, 6)), rng.integers(0, 3, 3)
        report = fastgrad.check(net.problem(net.initial_parameters(), X, Y), perturb="auto")
        assert report.passed
        assert report.perturbed.startswith("the pre-activations of layer 3, ")
        assert "every other checked parameter itself" in report.perturbed

    def test_same_for_any_number_of_workers(self):
        """Two workers give bitwise the numbers of one."""
        one = fastgrad.check(self.problem(), perturb="nodes")
        two = fastgrad.check(self.problem(), perturb="nodes", n_jobs=2, backend="threading")
        assert np.array_equal(one.numeric, two.numeric)

    def test_float32(self):
        """A float32 network is checked through its nodes too."""
        net, X, Y = NETWORKS[1]
        params = {k: v.astype(np.float32) for k, v in parameters_of(net).items()}
        assert fastgrad.check(net.problem(params, X.astype(np.float32), Y), perturb="nodes").passed


class TestRefused:
    def test_without_a_network(self):
        """A plain cost without products has no nodes: the message says so; "auto" moves parameters."""
        with pytest.raises(fastgrad.InputError, match=r'perturb="nodes" moves the results of products'):
            fastgrad.check_gradient(lambda x: float(x @ x), np.ones(2), np.ones(2), perturb="nodes")
        x = np.ones(2)
        report = fastgrad.check_gradient(lambda x: float(x @ x), 2 * x, x, perturb="auto")
        assert (report.verdict, report.perturbed) == ("agree", "")

    def test_without_a_dense_layer(self):
        """A network without Dense layers has no nodes to move."""
        net = networks.Network([networks.LayerNorm(3)], LOSSES[0])
        problem = net.problem(net.initial_parameters(), np.eye(3), np.ones((3, 3)))
        with pytest.raises(fastgrad.InputError, match="this network has none"):
            fastgrad.check(problem, perturb="nodes")

    def test_unknown_word(self):
        """Another word is refused with the known ones."""
        with pytest.raises(fastgrad.InputError, match="one of parameters, nodes, auto; got 'weights'"):
            fastgrad.check(TestChecks().problem(), perturb="weights")


def test_repeated_inputs_are_computed_once(monkeypatch):
    """Weights from inputs that are equal in every sample get one value, and it is computed once."""
    from fastgrad.engines.network.dense_tail import DenseTail

    rng = np.random.default_rng(0)
    X = rng.normal(size=(5, 6))
    X[:, 3], X[:, 5] = X[:, 1], 0.0
    layers = [networks.Dense(6, 4), networks.Tanh(), networks.Dense(4, 2)]
    net = networks.Network(layers, LOSSES[2])
    engine = NetworkEngine(net.cost, Parameters(net.initial_parameters()), (X, rng.integers(0, 2, 5)), net)
    swept = []
    plain = DenseTail._sweep
    monkeypatch.setattr(
        DenseTail, "_sweep", lambda t, stage, f, u, o: swept.append(len(f)) or plain(t, stage, f, u, o)
    )
    found = engine.values(np.arange(24), np.full((24, 2), 1e-4)).reshape(6, 4, 2)
    assert swept == [20]
    assert np.array_equal(found[1], found[3])
    assert not found[5].any()
