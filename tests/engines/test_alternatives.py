"""Other ways of evaluating a cost are trusted where they give the same, and taken where they are faster."""

from __future__ import annotations

import numpy as np
import pytest

import fastgrad
from fastgrad.engines.alternatives import Alternatives, first_difference, points_beside
from fastgrad.engines.python import PythonEngine
from fastgrad.problem.parameters import Parameters


def cost(p):
    """Something of two blocks."""
    return float(np.sum(np.sin(p["a"])) * p["b"][1] + p["b"][0])


AT = {"a": np.linspace(0.1, 2.0, 500), "b": np.array([0.5, 2.0])}


def gradient(p):
    """Its gradient."""
    return {"a": np.cos(p["a"]) * p["b"][1], "b": np.array([1.0, np.sum(np.sin(p["a"]))])}


class Other(PythonEngine):
    """The same cost by another name, at a time that is said and not measured."""

    name = "other"
    factor, seconds_each = 1.0, 1e-12

    def values(self, indices, offsets):
        """The values, off by a factor in the moved part."""
        found = super().values(indices, offsets)
        return found + (self.factor - 1) * (found - cost(AT))


def way(**attributes):
    """A way that makes one."""

    def make(plain):
        engine = Other(plain.cost, plain.parameters, plain.args)
        vars(engine).update(attributes)
        return engine

    return make


def plain():
    """The engine of the cost itself."""
    return PythonEngine(cost, Parameters(AT))


class TestFastest:
    def test_the_first_that_is_faster(self):
        """A way that does not apply, or is slower, is passed over."""
        ways = (lambda plain: None, way(seconds_each=2.0), way(name="third"), way(name="fourth"))
        engine, made, each = Alternatives(ways).fastest(plain(), 1.0, 0)
        assert (engine.name, each) == ("third", 1e-12)
        assert made > 0

    def test_none_is(self):
        """Where none is faster the plain engine is taken."""
        given = plain()
        assert Alternatives((way(seconds_each=2.0),)).fastest(given, 1.0, 0)[0] is given
        assert Alternatives(()).fastest(given, 1.0, 0) == (given, 0, 1.0)

    @pytest.mark.parametrize("factor", [1.001, 0.0, float("nan")])
    def test_another_cost(self, factor):
        """A way that gives something else is not taken, and a note says so."""
        given = plain()
        assert Alternatives((way(factor=factor),)).fastest(given, 1.0, 0)[0] is given
        assert "the plain cost was evaluated: other gave" in given.notes[0]


def test_points():
    """Some of each block are compared, on both sides."""
    some, offsets = points_beside(plain(), 0)
    assert (np.diff(some) > 0).all()
    assert {tuple(np.sign(row)) for row in offsets} == {(-1.0, 1.0)}
    assert (some < 500).sum() == (some >= 500).sum() == 2


def test_first_difference():
    """Rounding is allowed, in units of the cost and of its change; where both are NaN they are the same."""
    expected = np.array([[1.0, 2.0], [3.0, np.nan]])
    assert first_difference(expected, expected + 1e-13, plain()) is None
    assert first_difference(expected, expected + np.array([[0, 0], [1e-6, 0]]), plain()) == (1, 0)


def test_in_a_check():
    """A check takes the way, and its options can refuse it."""
    problem = fastgrad.Problem(slow, gradient, AT, structure=Alternatives((way(),)))
    assert fastgrad.check(problem).engine == "other"
    assert fastgrad.check(problem, engine="python").engine == "python"


def slow(p):
    """The cost, slow enough for another way to be looked for."""
    for _ in range(20):
        value = cost(p)
    return value


def test_no_network():
    """engine="network" is refused, in terms of what was given."""
    problem = fastgrad.Problem(cost, gradient, AT, structure=Alternatives((way(),)))
    with pytest.raises(fastgrad.InputError, match='leave engine="auto"'):
        fastgrad.check(problem, engine="network")
