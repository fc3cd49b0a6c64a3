"""The user's functions at parameters of a witness: in the user's structure, and as a batch where asked."""

from __future__ import annotations

import numpy as np
import pytest

from fastgrad.errors import InputError
from fastgrad.problem.parameters import Parameters
from fastgrad.problem.problem import Problem
from fastgrad.witnesses.functions import Functions

PARAMS = {"a": np.ones((2, 3)), "b": 0.5}
ELSEWHERE = [np.full((2, 3), 2.0), np.array(3.0)]


def functions_of(cost, gradient=None, vectorized=False):
    """The functions of a problem with one datum."""
    return Functions(Problem(cost, gradient, PARAMS, (10.0,)), Parameters(PARAMS), vectorized)


class TestCost:
    def test_structure_and_data(self):
        """The cost gets the arrays in the user's structure, and the data."""
        functions = functions_of(lambda p, c: float(np.sum(p["a"]) + p["b"] + c))
        assert functions.cost(ELSEWHERE) == 12 + 3 + 10

    def test_vectorized(self):
        """A vectorized cost gets a batch of one point, and its batch of one value is returned as it is."""
        shapes = []

        def cost(p, c):
            shapes.append((p["a"].shape, p["b"].shape))
            return np.sum(p["a"], axis=(1, 2)) + p["b"] + c

        assert functions_of(cost, vectorized=True).cost(ELSEWHERE).tolist() == [25.0]
        assert shapes == [((1, 2, 3), (1,))]


class TestGradient:
    def test_flat_leaves(self):
        """The claimed gradient comes back flat, block by block."""
        functions = functions_of(np.sum, lambda p, c: {"b": np.array(c), "a": 2 * p["a"]})
        a, b = functions.gradient(ELSEWHERE)
        assert a.tolist() == [4.0] * 6
        assert b.tolist() == [10.0]

    def test_another_structure(self):
        """A gradient of another structure is refused."""
        with pytest.raises(InputError, match="missing: b"):
            functions_of(np.sum, lambda p, c: {"a": p["a"]}).gradient(ELSEWHERE)
