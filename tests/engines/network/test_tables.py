"""Values read off tables are those of perturbing each weight in the full network, to rounding."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from network_cases import JIT, LOSSES, dense_networks, parameters_of, textbook

import fastgrad
from fastgrad import networks
from fastgrad.engines.network import tables
from fastgrad.engines.network.engine import NetworkEngine
from fastgrad.problem.parameters import Parameters


def run(engine, indices, offsets):
    """All values of a plan, by the caller itself."""
    return engine.values(indices, offsets)


def with_tables(net, params, X, Y, offsets_of):
    """The engine as it is and prepared for a whole plan, whatever its size, and the plan."""
    engine = NetworkEngine(net.cost, Parameters(params), (X, Y), net)
    indices = np.arange(engine.parameters.size)
    offsets = offsets_of(len(indices))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tables, "LEAST_SAVING", -(10**9))
        return engine, engine.prepared(indices, offsets, run), indices, offsets


def require_exact(net, params, X, Y, offsets_of, rtol=1e-12):
    """The values of an engine with tables are the full network's; returns the engine."""
    _, engine, indices, offsets = with_tables(net, params, X, Y, offsets_of)
    expected = textbook(net, params, X, Y, indices, offsets)
    found = engine.values(indices, offsets) + engine.origin
    assert np.all(np.abs(found - expected) <= rtol * np.maximum(np.abs(expected), 1.0))
    return engine


def two_layers(activation, loss=LOSSES[2], samples=6):
    """A network of two dense layers and its batch."""
    net = networks.Network([networks.Dense(5, 4), activation, networks.Dense(4, 3)], loss)
    rng = np.random.default_rng(0)
    Y = {
        networks.SoftmaxCrossEntropy: rng.integers(0, 3, samples),
        networks.LogisticLoss: rng.random((samples, 3)),
    }.get(type(loss), rng.normal(size=(samples, 3)))
    return net, rng.normal(size=(samples, 5)), Y


class TestExact:
    @given(dense_networks(), st.sampled_from([1e-6, 1e-5, 1e-3, 0.5]))
    @settings(max_examples=60 if JIT else 250)
    def test_random_dense_networks(self, drawn, size):
        """Random architectures, activations, losses and dtypes, for steps that have tables and for others."""
        net, params, X, Y, rng = drawn
        with np.errstate(all="ignore"):
            require_exact(net, params, X, Y, lambda m: size * rng.uniform(-1, 1, (m, 2)))

    @pytest.mark.parametrize(
        "later",
        [
            [networks.LayerNorm(4)],
            [networks.Dropout(0.3), networks.Tanh()],
            [networks.Residual([networks.Dense(4, 4), networks.Tanh()])],
            [networks.Residual([networks.Tanh(), networks.Residual([networks.Dense(4, 4)])])],
        ],
        ids=repr,
    )
    def test_before_layers_without_kernels(self, later):
        """Whatever follows, as long as samples stay apart, there are tables, and they are exact."""
        rng = np.random.default_rng(0)
        net = networks.Network([networks.Dense(3, 4), *later, networks.Dense(4, 2)], LOSSES[2], l2=0.3)
        X, Y = rng.normal(size=(5, 3)), rng.integers(0, 2, 5)
        engine = require_exact(net, parameters_of(net), X, Y, lambda m: 1e-5 * rng.uniform(-1, 1, (m, 2)))
        assert all(table.has.all() for table in engine.tables.values())
        assert set(engine.tables) == {
            name.removesuffix(".bias") for name in parameters_of(net) if "bias" in name
        }

    def test_no_tables_where_samples_are_coupled(self):
        """Under BatchNorm a moved unit changes all samples: the layers before it have no tables."""
        rng = np.random.default_rng(0)
        layers = [networks.Dense(3, 4), networks.BatchNorm(4), networks.Tanh(), networks.Dense(4, 2)]
        net = networks.Network(layers, LOSSES[2])
        X, Y = rng.normal(size=(5, 3)), rng.integers(0, 2, 5)
        engine = require_exact(net, parameters_of(net), X, Y, lambda m: np.full((m, 1), 1e-5))
        assert set(engine.tables) == {"3"}

    @pytest.mark.skipif(JIT, reason="compiles each activation; run without JIT")
    @pytest.mark.parametrize("activation", [networks.Sigmoid(), networks.SiLU(), networks.GELU()], ids=repr)
    @pytest.mark.parametrize("loss", LOSSES, ids=repr)
    def test_smooth_units_have_tables(self, activation, loss):
        """For a smooth network and an ordinary step every unit has a table: the fast path is taken."""
        net, X, Y = two_layers(activation, loss)
        step = 2.0**-17
        _, engine, *_ = with_tables(net, parameters_of(net), X, Y, lambda m: np.full((m, 2), step))
        assert all(table.has.all() for table in engine.tables.values())
        assert set(engine.tables) == {"0", "2"}


class TestKinks:
    @given(distance=st.floats(-30, 30), seed=st.integers(0, 100))
    def test_a_kink_within_reach(self, distance, seed):
        """A relu within a few steps of its kink is propagated, not read off a polynomial."""
        layers = [networks.Dense(3, 1), networks.Tanh(), networks.Dense(1, 1), networks.ReLU()]
        net = networks.Network([*layers, networks.Dense(1, 2)], LOSSES[2])
        rng = np.random.default_rng(seed)
        params = parameters_of(net)
        X, Y = rng.normal(size=(2, 3)), rng.integers(0, 2, 2)
        h = 2.0**-17
        hidden = np.tanh(X[0] @ params["0.weight"] + params["0.bias"])
        params["2.bias"][:] = -(hidden @ params["2.weight"]) + distance * h
        engine, prepared, indices, offsets = with_tables(
            net, params, X, Y, lambda m: h * rng.uniform(-1, 1, (m, 2))
        )
        plain, found = engine.values(indices, offsets), prepared.values(indices, offsets)
        steepest = np.abs(plain / offsets).max()
        assert np.abs(found - plain).max() <= 1e-12 * steepest * h

    def test_unit_has_no_table(self):
        """Where one sample has a kink within reach, its unit has none; the others keep theirs."""
        net, X, Y = two_layers(networks.ReLU())
        params = parameters_of(net)
        params["0.bias"][2] = -(X[1] @ params["0.weight"])[2] + 1e-6
        _, engine, *_ = with_tables(net, params, X, Y, lambda m: np.full((m, 2), 2.0**-17))
        assert engine.tables["0"].has.tolist() == [True, True, False, True]


class TestReach:
    def test_far_inputs_are_propagated(self):
        """An input a million times larger does not widen the range for the others."""
        net, X, Y = two_layers(networks.Tanh())
        X[:, 3] *= 1e6
        rng = np.random.default_rng(1)
        params = parameters_of(net)
        params["0.weight"][3] *= 1e-6
        engine = require_exact(net, params, X, Y, lambda m: 1e-7 * rng.uniform(-1, 1, (m, 2)))
        table = engine.tables["0"]
        everyone, unit = np.arange(5), np.zeros(5, dtype=int)
        assert table.covers(everyone, unit, np.full((5, 1), 5e-8)).tolist() == [True] * 3 + [False, True]

    def test_not_made_for_few(self):
        """A handful of coordinates is propagated: a table would cost more than it saves."""
        net, X, Y = two_layers(networks.Tanh())
        engine = NetworkEngine(net.cost, Parameters(parameters_of(net)), (X, Y), net)
        assert engine.prepared(np.arange(12), np.full((12, 2), 1e-5), run) is engine

    def test_memory_is_bounded(self, monkeypatch):
        """As many units get a table as fit the memory set aside for it; the others are propagated."""
        net, X, Y = two_layers(networks.Tanh())
        monkeypatch.setattr(tables, "TABLE_BYTES", 2 * len(X) * tables.BYTES_OF_A_NODE)
        engine = require_exact(net, parameters_of(net), X, Y, lambda m: np.full((m, 2), 1e-5))
        assert engine.tables["0"].has.tolist() == [True, True, False, False]


class TestCuts:
    @given(seed=st.integers(0, 1000), size=st.integers(1, 80))
    @settings(max_examples=15)
    def test_values_do_not_depend_on_the_cut(self, seed, size):
        """However a plan is cut, not a bit of what is read off changes."""
        rng = np.random.default_rng(seed)
        net = networks.Network([networks.Dense(70, 3), networks.Tanh(), networks.Dense(3, 2)], LOSSES[2])
        X, Y = rng.normal(size=(9, 70)), rng.integers(0, 2, 9)
        _, engine, indices, offsets = with_tables(
            net, net.initial_parameters(seed), X, Y, lambda m: 1e-5 * rng.normal(size=(m, 2))
        )
        whole = engine.values(indices, offsets)
        cuts = [slice(i, i + size) for i in range(0, len(indices), size)]
        assert np.array_equal(whole, np.concatenate([engine.values(indices[c], offsets[c]) for c in cuts]))
        mixed = rng.permutation(len(indices))  # in whatever order they are asked for
        assert np.array_equal(whole[mixed], engine.values(indices[mixed], offsets[mixed]))

    def test_a_whole_check_takes_tables(self, monkeypatch):
        """A check of enough coordinates reads them off, and agrees with one that may not."""
        rng = np.random.default_rng(0)
        net = networks.Network([networks.Dense(60, 40), networks.Tanh(), networks.Dense(40, 5)], LOSSES[2])
        problem = net.problem(net.initial_parameters(), rng.normal(size=(30, 60)), rng.integers(0, 5, 30))
        made = []
        make = tables.make_table
        monkeypatch.setattr(
            "fastgrad.engines.network.engine.make_table", lambda *a: made.append(make(*a)) or made[-1]
        )
        fast = fastgrad.check(problem)
        assert any(table is not None and table.has.all() for table in made)
        monkeypatch.setattr("fastgrad.engines.network.engine.make_table", lambda *a: None)
        slow = fastgrad.check(problem)
        assert (fast.verdict, slow.verdict) == ("agree", "agree")
        assert "read off the polynomial" in fast.notes[0]
        assert slow.notes == ()
        assert np.abs(fast.numeric - slow.numeric).max() <= 1e-11 * np.abs(slow.numeric).max()
