"""The form of a leaf says how it is made again, and stays with the block wherever that goes."""

from __future__ import annotations

import pickle

import numpy as np

from fastgrad.problem.kinds.form import Form
from fastgrad.problem.parameters import Parameters


class TestForm:
    def test_plain_arrays_have_none(self):
        """A plain array and a memory map need no form: the cost gets them as they are."""
        assert [b.form for b in Parameters({"W": np.ones(2), "b": np.array(1.0)}).blocks] == [None, None]

    def test_travels_with_its_block(self):
        """A pickled block makes the same kind again."""
        [block] = pickle.loads(pickle.dumps(Parameters([1.0, 2.0]))).blocks
        assert block.form.kind == "a list of numbers"
        assert block.form.rebuild(np.array([3.0, 4.0])) == [3.0, 4.0]

    def test_blocks_compare_by_place(self):
        """Two blocks of the same name, shape, dtype and place are equal, whatever their forms."""
        assert Parameters([1.0, 2.0]).blocks == Parameters(np.array([1.0, 2.0])).blocks

    def test_labels_are_used_in_names(self):
        """A form with labels names the coordinates of its block."""
        form = Form("a labelled thing", lambda array: array, label=lambda index: "xyz"[index[0]])
        [block] = Parameters(np.ones(3)).blocks
        labelled = type(block)(block.name, block.shape, block.dtype, block.start, "", form)
        assert labelled.label(2) == "params[z]"
