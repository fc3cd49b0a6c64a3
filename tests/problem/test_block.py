"""Blocks: names, places in the flat vector, and labels of coordinates."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from parameter_cases import Layer, flat_of, naive_leaves, nonempty, structures

from fastgrad.problem.parameters import Parameters
from fastgrad.problem.structure import block_name


class TestBlocks:
    @given(structures, st.data())
    def test_label_and_index_are_numpys(self, structure, data):
        """block.index(i) finds in the leaf, by NumPy's own indexing, the number at i in the flat vector."""
        p = Parameters(nonempty(structure))
        i = data.draw(st.integers(0, p.size - 1))
        block = p.block_of(i)
        leaf = naive_leaves(structure)[p.blocks.index(block)]
        assert block.start <= i < block.stop
        assert float(leaf[block.index(i)]) == flat_of(structure)[i]
        assert p.label(i) == block.name + (str(list(block.index(i))) if leaf.ndim else "")

    @given(structures, st.data())
    def test_take_is_fancy_indexing(self, structure, data):
        """take(leaves, indices) is flat[indices] in float64, in any order and with repeats."""
        p = Parameters(nonempty(structure))
        indices = np.array(data.draw(st.lists(st.integers(0, p.size - 1), max_size=9)), dtype=np.intp)
        taken = p.take(p.leaves, indices)
        assert taken.dtype == np.float64
        assert taken.tolist() == flat_of(structure)[indices].tolist()

    @given(structures, st.data())
    def test_segments_are_a_partition_by_block(self, structure, data):
        """Grouped by block, each position comes once, with its block, and no block comes twice."""
        p = Parameters(nonempty(structure))
        indices = np.array(data.draw(st.lists(st.integers(0, p.size - 1), max_size=9)), dtype=np.intp)
        groups = [(number, np.arange(len(indices))[where]) for number, where in p.segments(indices)]
        assert sorted(k for _, where in groups for k in where.tolist()) == list(range(len(indices)))
        assert len({number for number, _ in groups}) == len(groups)
        for number, where in groups:
            block = p.blocks[number]
            assert ((indices[where] >= block.start) & (indices[where] < block.stop)).all()
        assert all(
            p.blocks[n] is p.block_of(int(i)) for n, i in zip(p.block_numbers(indices), indices, strict=True)
        )

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

    def test_few_of_each_block(self):
        """Of each block come at most so many positions, spread over it, and all where it has no more."""
        p = Parameters({"W": np.zeros(9), "none": np.zeros(0), "b": np.zeros(2)})
        assert p.few_of_each_block(np.arange(11), 4).tolist() == [0, 2, 4, 6, 9, 10]
        assert p.few_of_each_block(np.array([3, 5, 10]), 1).tolist() == [0, 2]
        assert p.few_of_each_block(np.empty(0, dtype=np.intp), 4).tolist() == []
