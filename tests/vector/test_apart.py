"""The pattern that products show."""

import numpy as np
import pytest
from vector_cases import CASES, softmax

from fastgrad.problem.parameters import Parameters
from fastgrad.vector.apart import pattern_of
from fastgrad.vector.outputs import Outputs

RNG = np.random.default_rng(3)


def found(function, vjp, x):
    """The pattern, as an array of zeros and ones, and how many products it took."""
    parameters, outputs, calls = Parameters(x), Outputs.of(function(x)), []

    def product(u):
        calls.append(1)
        leaves = parameters.match(vjp(x, outputs.structure(u)), "product")
        return np.concatenate(leaves)

    pattern = pattern_of(product, parameters, outputs, RNG.normal(size=outputs.size))
    return (None if pattern is None else pattern.toarray()), len(calls)


@pytest.mark.parametrize("name", ["elementwise", "rows"])
def test_holds(name):
    """Everywhere that J is not zero the pattern has an entry, and few more."""
    case = CASES[name]
    pattern, calls = found(case.function, case.vjp, case.x)
    there = case.jacobian(case.x) != 0
    assert (pattern[there] == 1).all()
    assert pattern.sum() == there.sum()
    assert calls <= 8


def test_dense():
    """A dense function is told by very few products."""
    pattern, calls = found(CASES["dense"].function, CASES["dense"].vjp, CASES["dense"].x)
    assert pattern is None
    assert calls <= 2


def test_chain():
    """Neighbours that depend on each other do not go apart."""
    assert found(CASES["chain"].function, CASES["chain"].vjp, CASES["chain"].x)[0] is None


def test_first_axis():
    """A function apart along the last axis only is apart along that one."""

    def columns(x):
        return softmax(x.T).T

    def vjp(x, u):
        s = columns(x)
        return s * (u - (u * s).sum(axis=0))

    pattern, _ = found(columns, vjp, RNG.normal(size=(8, 8)))
    assert pattern.sum() == 8 * 64


def test_two_blocks():
    """Of several parameters each goes apart, or does not, by itself."""
    x = {"a": RNG.normal(size=(10, 6)), "b": RNG.normal(size=6), "c": RNG.normal(size=(6, 6))}

    def function(p):
        return p["a"] * p["b"] + np.sum(p["c"] ** 2)

    def vjp(p, u):
        return {"a": u * p["b"], "b": (u * p["a"]).sum(axis=0), "c": 2 * p["c"] * u.sum()}

    pattern, _ = found(function, vjp, x)
    a, b, c = pattern[:, :60], pattern[:, 60:66], pattern[:, 66:]
    assert (a == np.eye(60)).all()
    assert b.sum() == 60
    assert c.all()


def test_by_chance():
    """A product that is dense but zero at one place is not taken for one that goes apart."""
    matrix = np.ones((64, 64))

    assert found(lambda x: matrix @ x, lambda x, u: matrix.T @ u, RNG.normal(size=64))[0] is None
