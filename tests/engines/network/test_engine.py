"""The network engine gives the numbers of perturbing each parameter in the full network."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from network_cases import JIT, LOSSES, NETWORKS, dense_networks, parameters_of, textbook

import fastgrad
from fastgrad import networks
from fastgrad.engines.network.engine import NetworkEngine
from fastgrad.execution import chunks
from fastgrad.problem.parameters import Parameters


def require_exact(net, params, X, Y, offsets_of, rtol=1e-13):
    """The engine's values are the full network's, to rounding, at every coordinate."""
    engine = NetworkEngine(net.cost, Parameters(params), (X, Y), net)
    indices = np.arange(engine.parameters.size)
    offsets = offsets_of(len(indices))
    expected = textbook(net, params, X, Y, indices, offsets)
    found = engine.values(indices, offsets) + engine.origin
    scale = np.maximum(np.abs(expected), 1.0)
    assert np.all(np.abs(found - expected) <= rtol * scale)


class TestExact:
    @given(dense_networks(), st.sampled_from([1e-6, 1e-3, 0.5]))
    @settings(max_examples=60 if JIT else 250)
    def test_random_dense_networks(self, drawn, size):
        """Random architectures, activations, losses and dtypes, for small steps and for large ones."""
        net, params, X, Y, rng = drawn
        with np.errstate(all="ignore"):
            require_exact(net, params, X, Y, lambda m: size * rng.normal(size=(m, 3)), rtol=1e-12)

    @pytest.mark.parametrize(("net", "X", "Y"), [NETWORKS[1], *NETWORKS[12:]] if JIT else NETWORKS)
    def test_every_layer(self, net, X, Y):
        """Every layer and loss, whether it has a rule of its own or is evaluated plainly."""
        rng = np.random.default_rng(2)
        require_exact(net, parameters_of(net), X, Y, lambda m: 1e-4 * rng.normal(size=(m, 2)))

    def test_differences_are_finer_than_the_costs_rounding(self):
        """Relative to the origin, changes are known far below one rounding of the cost."""
        net = networks.Network([networks.Dense(3, 4), networks.Tanh(), networks.Dense(4, 2)], LOSSES[2])
        rng = np.random.default_rng(0)
        X, Y = rng.normal(size=(9, 3)), rng.integers(0, 2, 9)
        params = net.initial_parameters(0)
        engine = NetworkEngine(net.cost, Parameters(params), (X, Y), net)
        n = engine.parameters.size
        h = 2.0**-40
        slopes = engine.values(np.arange(n), np.full((n, 1), h))[:, 0] / h
        g = net.gradient(params, X, Y)
        exact = np.concatenate([g[name].reshape(-1) for name in params])
        assert np.allclose(slopes, exact, rtol=0, atol=1e-11)  # by plain values this would be about 1e-4


class TestCuts:
    @given(seed=st.integers(0, 1000), size=st.integers(1, 80))
    @settings(max_examples=15)
    def test_values_do_not_depend_on_the_cut(self, seed, size):
        """Cutting a plan anywhere, and leaving coordinates out, changes no bit of the values."""
        rng = np.random.default_rng(seed)
        net = networks.Network(
            [
                networks.Dense(7, 5),
                networks.Tanh(),
                networks.Dense(5, 6),
                networks.ReLU(),
                networks.Dense(6, 3),
            ],
            LOSSES[2],
        )
        X, Y = rng.normal(size=(11, 7)), rng.integers(0, 3, 11)
        engine = NetworkEngine(net.cost, Parameters(net.initial_parameters(seed)), (X, Y), net)
        n = engine.parameters.size
        offsets = 1e-5 * rng.normal(size=(n, 2))
        whole = engine.values(np.arange(n), offsets)
        parts = [engine.values(np.arange(n)[i : i + size], offsets[i : i + size]) for i in range(0, n, size)]
        assert np.array_equal(whole, np.concatenate(parts))
        some = np.flatnonzero(rng.random(n) < 0.3)
        assert np.array_equal(whole[some], engine.values(some, offsets[some]))

    def test_same_for_any_number_of_workers(self, monkeypatch):
        """Two threads give bitwise the numbers of one."""
        monkeypatch.setattr(chunks, "PILOT_SECONDS", {"threads": 0.0, "processes": 0.0})
        monkeypatch.setattr(chunks, "SHORTEST_CHUNK", {"threads": 1e-5, "processes": 1e-5})
        rng = np.random.default_rng(0)
        net = networks.Network([networks.Dense(60, 40), networks.Tanh(), networks.Dense(40, 5)], LOSSES[2])
        problem = net.problem(net.initial_parameters(), rng.normal(size=(30, 60)), rng.integers(0, 5, 30))
        one, two = fastgrad.check(problem), fastgrad.check(problem, n_jobs=2, backend="threading")
        assert (one.engine, one.n_jobs, two.n_jobs) == ("network", 1, 2)
        assert np.array_equal(one.numeric, two.numeric)


class TestNothingVanishes:
    def test_nan_among_the_inputs(self):
        """A NaN among the inputs is an error, not a verdict."""
        net, X, Y = with_input(np.nan)
        with np.errstate(all="ignore"), pytest.raises(fastgrad.InputError, match="the cost is nan"):
            fastgrad.check(net.problem(parameters_of(net), X, Y))

    def test_infinity_among_the_inputs(self):
        """An infinite input saturates its units: the cost is finite, the claimed NaN is not overlooked."""
        net, X, Y = with_input(np.inf)
        with np.errstate(all="ignore"):
            report = fastgrad.check(net.problem(parameters_of(net), X, Y))
        assert report.verdict == "disagree"
        assert {f.cause for f in report.wrong} == {"the claimed gradient is nan"}

    def test_input_that_is_zero_everywhere(self):
        """Weights of an input that is zero in every sample have derivative exactly zero."""
        net, X, Y = NETWORKS[1]
        X = X.copy()
        X[:, 2] = 0
        plain = networks.Network(net.layers, net.loss)
        report = fastgrad.check(plain.problem(parameters_of(net), X, Y))
        assert report.passed
        assert not report.numeric[2 * 4 : 3 * 4].any()

    def test_saturated_units(self):
        """Units saturated beyond all digits agree with their gradient of zero."""
        net = dense_tanh = networks.Network(
            [networks.Dense(2, 3), networks.Tanh(), networks.Dense(3, 2)], LOSSES[2]
        )
        params = dense_tanh.initial_parameters()
        params["0.bias"] += 400
        assert fastgrad.check(net.problem(params, np.ones((3, 2)), np.array([0, 1, 1]))).passed

    def test_complex_step_goes_to_the_python_engine(self):
        """The complex step of a network is evaluated plainly."""
        net, X, Y = NETWORKS[1]
        problem = net.problem(parameters_of(net), X, Y)
        with pytest.raises(fastgrad.InputError, match='engine="network" takes real steps only'):
            fastgrad.check(problem, engine="network", method="complex")

    def test_engine_needs_a_structure(self):
        """The network engine is refused for a cost without a structure."""
        with pytest.raises(fastgrad.InputError, match="needs a Problem with a structure"):
            fastgrad.check_gradient(lambda x: float(x @ x), np.ones(2), np.ones(2), engine="network")


def with_input(value):
    """The tanh network with one unusual number among its inputs."""
    net, X, Y = NETWORKS[1]
    X = X.copy()
    X[2, 1] = value
    return net, X, Y


@pytest.mark.parametrize(("net", "X", "Y"), NETWORKS[15:])
def test_batches_do_not_matter(net, X, Y, monkeypatch):
    """However many coordinates, or offsets of one, travel together, the values are the same."""
    rng, found = np.random.default_rng(3), []
    parameters = Parameters(parameters_of(net))
    indices, offsets = np.arange(parameters.size), 1e-4 * rng.normal(size=(parameters.size, 5))
    for size in (1, 3000, 2**30):
        monkeypatch.setattr("fastgrad.engines.network.state.RULES_BYTES", size)
        found.append(NetworkEngine(net.cost, parameters, (X, Y), net).values(indices, offsets))
    for other in found[1:]:
        np.testing.assert_allclose(other, found[0], rtol=0, atol=1e-14)
