"""The engine that moves parameters together which share no output."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from vector_cases import CASES

import fastgrad
from fastgrad.engines.columns import ColumnsEngine
from fastgrad.engines.python import PythonEngine
from fastgrad.problem.columns import Columns
from fastgrad.problem.parameters import Parameters
from fastgrad.vector.combination import Combination
from fastgrad.vector.groups import Groups
from fastgrad.vector.outputs import Outputs


def engines(function, jacobian, x, w):
    """The engine for columns, and the plain one, of the same w . F."""
    parameters, outputs = Parameters(x), Outputs.of(function(x))
    cost = Combination(function, outputs, w)
    groups = Groups.of(sparse.csc_array(jacobian(x)))
    weights = groups.weighted(w)
    columns = Columns(
        lambda p: outputs.flat(function(p)), weights, groups.numbers, np.bincount(groups.numbers), 2.0
    )
    return ColumnsEngine(cost, parameters, (), columns, columns.function), PythonEngine(cost, parameters)


@pytest.mark.parametrize("name", ["elementwise", "rows", "chain"])
@given(data=st.data())
@settings(max_examples=20)
def test_same_as_plain(name, data):
    """Its values are those of the plain engine, for any coordinates and offsets."""
    case, seed = CASES[name], data.draw(st.integers(0, 2**31))
    rng = np.random.default_rng(seed)
    m, n = np.size(case.function(case.x)), np.size(case.x)
    together, plain = engines(case.function, case.jacobian, case.x, rng.normal(size=m))
    indices = np.sort(rng.choice(n, data.draw(st.integers(1, n)), replace=False))
    offsets = rng.normal(size=(len(indices), 3)) * 10.0 ** rng.integers(-6, 1)

    assert together.baseline() == plain.baseline()
    expected = plain.values(indices, offsets)

    found = together.values(indices, offsets) + together.origin
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


def test_one_parameter_twice():
    """A parameter may be asked for several times, at other offsets."""
    together, plain = engines(np.tanh, CASES["elementwise"].jacobian, CASES["elementwise"].x, np.ones(64))
    indices, offsets = np.array([3, 3, 3, 7]), np.array([[0.1], [0.2], [-0.1], [0.3]])
    together.baseline(), plain.baseline()
    found = together.values(indices, offsets) + together.origin
    np.testing.assert_allclose(found, plain.values(indices, offsets), rtol=1e-13)


def test_calls():
    """One call of the function serves all parameters of a group."""
    calls = []

    def function(x):
        calls.append(1)
        return np.tanh(x)

    engine, _ = engines(function, CASES["elementwise"].jacobian, CASES["elementwise"].x, np.ones(64))
    engine.baseline()
    calls.clear()
    engine.values(np.arange(64), np.full((64, 2), 1e-3))

    assert len(calls) == 2


def test_outside_the_domain():
    """Where one parameter leaves the domain, the others have their values."""

    def function(x):
        if (x < 0).any():
            raise ValueError("negative")
        return np.sqrt(x)

    x = np.array([1e-3, 1.0, 2.0, 3.0])
    engine, _ = engines(function, lambda x: np.diag(0.5 / np.sqrt(x)), x, np.ones(4))
    engine.baseline()

    values = engine.values(np.arange(4), np.full((4, 1), -1e-2))[:, 0]

    assert np.isnan(values).tolist() == [True, False, False, False]
    assert "negative" in engine.quoted


def test_other_errors():
    """Any other exception is the user's, with a note of what was moved."""

    def function(x):
        if x[0] != 1:
            raise KeyError("mine")
        return x

    engine, _ = engines(function, lambda x: np.eye(4), np.ones(4), np.ones(4))
    engine.baseline()
    with pytest.raises(KeyError) as caught:
        engine.values(np.arange(4), np.full((4, 1), 0.5))
    assert "several parameters are moved" in caught.value.__notes__[0]


def test_parameters_written():
    """A function that writes to its parameters is refused."""

    def function(x):
        x[0] += 1
        return x * 1.0

    x = np.ones(40)
    with pytest.raises(fastgrad.InputError, match="changes its parameters"):
        fastgrad.check_vjp(function, lambda x, u: u, x)
    assert x.tolist() == [1.0] * 40
