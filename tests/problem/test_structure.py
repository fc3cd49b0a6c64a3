"""Nestings are taken apart in the user's order, and leaves are named as the user reaches them."""

from __future__ import annotations

import numpy as np
import pytest
from structures import Layer

from fastgrad.errors import InputError
from fastgrad.problem.parameters import Parameters
from fastgrad.problem.structure import block_name, block_names, containers, flatten, flatten_alike


class TestBlocks:
    # structure, the blocks' names, label of the last coordinate
    NAMES = (
        (np.ones((2, 3)), ["params"], "params[1, 2]"),
        (np.float64(2.0), ["params"], "params"),
        (1.5, ["params"], "params"),
        ({"W2": np.ones((18, 4))}, ["W2"], "W2[17, 3]"),
        ({"z": np.ones(1), "a": 2.0}, ["z", "a"], "a"),
        ([np.ones(1), np.ones(2)], ["params[0]", "params[1]"], "params[1][1]"),
        ((np.ones(1), {"b": np.ones(2)}), ["params[0]", "params[1].b"], "params[1].b[1]"),
        ({"enc": [{"W": np.ones(1)}, None, np.ones(2)]}, ["enc[0].W", "enc[2]"], "enc[2][1]"),
        ({"0.weight": np.ones((1, 2))}, ["0.weight"], "0.weight[0, 1]"),
        ({3: np.ones(1), ("a", 1): np.ones(1)}, ["params[3]", "params[('a', 1)]"], "params[('a', 1)][0]"),
        ({"e": np.empty(0), "x": np.ones(1)}, ["e", "x"], "x[0]"),
        ({"x": np.ones(1), "e": np.empty((0, 2))}, ["x", "e"], "x[0]"),
    )

    @pytest.mark.parametrize(("structure", "names", "last"), NAMES, ids=[names[-1] for _, names, _ in NAMES])
    def test_names(self, structure, names, last):
        """Blocks are called what the user would write to reach them."""
        p = Parameters(structure)
        assert [b.name for b in p.blocks] == names
        assert p.label(p.size - 1) == last

    def test_namedtuple_fields(self):
        """The blocks of a namedtuple are called by its fields."""
        p = Parameters({"out": Layer(np.ones((2, 2)), np.ones(2))})
        assert [b.name for b in p.blocks] == ["out.W", "out.b"]
        assert p.label(4) == "out.b[0]"

    def test_block_name(self):
        """The path of keys and positions becomes a dotted name."""
        assert block_name(("enc", 0, "W")) == "enc[0].W"
        assert block_name(()) == "params"


class TestRefusedStructures:
    def test_two_blocks_of_one_name(self):
        """Keys that would give two blocks one name are refused."""
        with pytest.raises(InputError, match=r"two blocks of the parameters would both be called a\.b"):
            Parameters({"a.b": np.ones(1), "a": {"b": np.ones(1)}})


class TestFlatten:
    def test_order_and_names(self):
        """Leaves come in the order in which they were written, each with its name; None is no leaf."""
        leaves, spec = flatten({"z": 1.0, "a": [2.0, None, {"b": 3.0}]})

        assert leaves == [1.0, 2.0, 3.0]
        assert block_names(spec) == ["z", "a[0]", "a[2].b"]
        assert containers(spec) == "{'z': *, 'a': [*, None, {'b': *}]}"

    def test_flatten_alike(self):
        """Dicts of one make go by key; structures of another make by the order of their numbers."""
        a, b = flatten_alike({"x": [1.0], "y": 2.0}, {"y": 20.0, "x": [10.0]})
        assert (a.tolist(), b.tolist()) == ([1.0, 2.0], [10.0, 20.0])

        a, b = flatten_alike({"x": 1.0}, [np.array([3.0, 4.0])])
        assert (a.tolist(), b.tolist()) == ([1.0], [3.0, 4.0])
