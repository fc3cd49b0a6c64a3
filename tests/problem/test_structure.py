"""Structures that cannot be parameters."""

from __future__ import annotations

import numpy as np
import pytest

import fastgrad
from fastgrad.errors import InputError
from fastgrad.problem.parameters import Parameters
from fastgrad.problem.structure import block_name, containers, flatten


class TestRefusedStructures:
    def test_two_blocks_of_one_name(self):
        """Keys that would give two blocks one name are refused."""
        with pytest.raises(InputError, match=r"two blocks of the parameters would both be called a\.b"):
            Parameters({"a.b": np.ones(1), "a": {"b": np.ones(1)}})

    def test_masked_array(self):
        """A masked array is refused: its mask would be lost without a word."""
        with pytest.raises(InputError, match="parameter W is a masked array"):
            Parameters({"W": np.ma.masked_array([1.0, 2.0], [True, False])})

    def test_segments_of_unordered_indices(self):
        """Indices in any order are grouped by block, in their own order within each."""
        parameters = Parameters({"a": np.zeros(3), "b": np.zeros(3)})
        indices = np.array([4, 0, 5, 2])
        groups = {number: indices[where].tolist() for number, where in parameters.segments(indices)}
        assert groups == {0: [0, 2], 1: [4, 5]}

    def test_containers_of_any_keys(self):
        """The containers of a structure are told in one line, whatever its keys are and say."""

        class BadRepr:
            def __repr__(self):
                raise RuntimeError("repr")

        assert containers(flatten({"a": [1.0, None]})[1]) == "{'a': [*, None]}"
        assert containers(flatten({BadRepr(): 1.0})[1]) == "<PyTreeSpec>"
        assert len(containers(flatten({"k" * 1000: 1.0})[1])) <= 200

    def test_names_of_any_keys(self):
        """A key whose repr raises is named by its type."""

        class BadRepr:
            def __repr__(self):
                raise RuntimeError("repr")

        assert block_name((BadRepr(),)) == "params[<BadRepr>]"


def nested(kind, levels=5000):
    """A pair of numbers inside so many lists, tuples or dicts."""
    found = np.ones(2)
    for _ in range(levels):
        found = {"list": [found], "tuple": (found,), "dict": {"a": found}}[kind]
    return found


class TestDeepNesting:
    @pytest.mark.parametrize("kind", ["list", "tuple", "dict"])
    def test_each_place(self, kind):
        """Thousands of levels are refused in words as parameters, gradient, data and what is compared."""
        deep, x = nested(kind), np.ones(2)
        calls = {
            "the parameters": lambda: fastgrad.check_gradient(lambda p: 1.0, deep, deep),
            "the gradient": lambda: fastgrad.check_gradient(lambda p: 1.0, lambda p: deep, x),
            "the data in args": lambda: fastgrad.check_gradient(
                lambda p, a: float(p @ p), lambda p, a: 2 * p, x, args=(deep,)
            ),
            "what is compared": lambda: fastgrad.relative_error(deep, deep),
        }
        for what, call in calls.items():
            with pytest.raises(
                fastgrad.InputError, match=f"^{what}: nested more deeply than can be followed"
            ):
                call()

    def test_inside_itself(self):
        """So is a list that holds itself."""
        params = []
        params.append(params)
        with pytest.raises(fastgrad.InputError, match="or inside itself"):
            fastgrad.numerical_gradient(lambda p: 1.0, params)
