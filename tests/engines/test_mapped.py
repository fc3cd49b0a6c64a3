"""An engine for the same parameters in another order."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import fastgrad
from fastgrad.engines.mapped import MappedEngine
from fastgrad.engines.network.engine import NetworkEngine
from fastgrad.engines.python import PythonEngine
from fastgrad.problem.parameters import Parameters

NETWORK = fastgrad.Network(
    [fastgrad.Dense(300, 4), fastgrad.Tanh(), fastgrad.Dense(4, 3)], fastgrad.SoftmaxCrossEntropy()
)
INNER = NETWORK.initial_parameters(1)
X, Y = np.random.default_rng(0).normal(size=(8, 300)), np.arange(8) % 3
OURS = {"w": INNER["0.weight"].T.copy(), "b": INNER["2.bias"]}
"""Some of the network's blocks, the weight as (outputs, inputs)."""

TO_INNER = np.concatenate([np.arange(1200).reshape(300, 4).T.reshape(-1), 1200 + 4 + 12 + np.arange(3)])


def cost(p):
    """The network's cost of these blocks."""
    return NETWORK.cost(INNER | {"0.weight": p["w"].T, "2.bias": p["b"]}, X, Y)


@pytest.fixture
def engines():
    """The plain engine and the mapped one."""
    plain = PythonEngine(cost, Parameters(OURS))
    inner = NetworkEngine(NETWORK.cost, Parameters(INNER), (X, Y), NETWORK)
    inner.baseline()
    return plain, MappedEngine(plain, inner, TO_INNER)


def alone(engine, indices, offsets):
    """All values, by an engine on its own."""
    return engine.values(indices, offsets)


def test_values(engines):
    """Coordinates in any order have the values of the plain engine."""
    plain, mapped = engines
    some = np.array([5, 1202, 17, 0, 200])
    offsets = 1e-3 * np.array([[-1.0, 1.0]]) * np.ones((5, 1))
    assert np.allclose(mapped.values(some, offsets) + mapped.origin, plain.values(some, offsets), rtol=1e-13)
    assert mapped.baseline() == pytest.approx(plain.baseline(), rel=1e-14)


def test_the_map_matters(engines):
    """The twin: without it, the weight as it lies in memory, the values are others."""
    plain, mapped = engines
    wrong = MappedEngine(plain, mapped.inner, np.concatenate([np.arange(1200), TO_INNER[1200:]]))
    some, offsets = np.array([7]), np.array([[0.1]])
    assert abs(mapped.values(some, offsets) - wrong.values(some, offsets)) > 1e-9


def test_prepared(engines):
    """Tables of the other engine are prepared from its own coordinates, and give the same."""
    _, mapped = engines
    every = np.arange(1203)
    offsets = 1e-4 * np.array([[-1.0, 1.0]]) * np.ones((1203, 1))
    prepared = mapped.prepared(every, offsets, alone)
    assert prepared is not mapped
    assert np.allclose(prepared.values(every, offsets), mapped.values(every, offsets), rtol=1e-9, atol=1e-17)
    assert (prepared.prices(every)[:1200] < mapped.prices(every)[:1200]).all()


def test_twin(engines):
    """A worker's twin gives the same."""
    _, mapped = engines
    some, offsets = np.array([3, 1201]), np.full((2, 1), 0.01)
    assert np.array_equal(mapped.for_worker().values(some, offsets), mapped.values(some, offsets))


@given(data=st.data())
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_plan(engines, data):
    """Whatever coordinates are moved by whatever offsets, the values are those of the plain engine."""
    plain, mapped = engines
    indices = np.array(sorted(data.draw(st.sets(st.integers(0, 1202), min_size=1, max_size=40))))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**31)))
    offsets = rng.normal(size=(len(indices), 2)) * 10.0 ** rng.integers(-6, 1)
    found = mapped.values(indices, offsets) + mapped.origin
    assert np.allclose(found, plain.values(indices, offsets), rtol=1e-12)
