"""Blocks: where a coordinate lies, what it is called, and what may be a parameter."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from structures import flat_of, naive_leaves, nonempty, structures

from fastgrad.errors import InputError
from fastgrad.problem.block import (
    SMALLEST_TYPICAL_SIZE,
    Block,
    describe,
    matching_leaf,
    parameter_leaf,
    typical_size,
)
from fastgrad.problem.parameters import Parameters


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


class TestRefusedParameters:
    # structure, the whole message
    MESSAGES = (
        (
            {},
            "the parameters are empty: expected at least one number in an array, a dict, a list or a tuple "
            "of arrays; got a dict with keys []",
        ),
        (
            [np.empty((0, 3)), None],
            "the parameters are empty: expected at least one number in an array, a dict, a list or a tuple "
            "of arrays; got a list of length 2",
        ),
        (
            None,
            "the parameters are empty: expected at least one number in an array, a dict, a list or a tuple "
            "of arrays; got NoneType None",
        ),
        (
            {"W": np.ones((2, 3), dtype=np.int64)},
            "parameter W must be a float32 or float64 array; got int64 array of shape (2, 3). "
            "An integer cannot be perturbed: pass W.astype(float).",
        ),
        (
            {"m": np.ones(2, dtype=bool)},
            "parameter m must be a float32 or float64 array; got bool array of shape (2,). "
            "An integer cannot be perturbed: pass m.astype(float).",
        ),
        (
            [np.ones(2), np.ones(3, dtype=complex)],
            "parameter params[1] must be a float32 or float64 array; got complex128 array of shape (3,). "
            "Pass its real and imaginary parts as two blocks.",
        ),
        (
            np.ones(2, dtype=np.float16),
            "parameter params must be a float32 or float64 array; got float16 array of shape (2,). "
            "Pass params.astype(np.float64) or np.float32.",
        ),
        (
            {"enc": {"name": "relu"}},
            "parameter enc.name must be a float32 or float64 array; got str 'relu'. Pass arrays of numbers.",
        ),
        (
            {"W": np.array([[1.0, 2.0], [3.0, np.nan]])},
            "parameter W[1, 1] is nan: a gradient can only be checked at finite parameters",
        ),
        (
            {"a": 1.0, "b": np.array([1.0, -np.inf], dtype=np.float32)},
            "parameter b[1] is -inf: a gradient can only be checked at finite parameters",
        ),
        ({"s": float("inf")}, "parameter s is inf: a gradient can only be checked at finite parameters"),
    )

    @pytest.mark.parametrize(("structure", "message"), MESSAGES)
    def test_message(self, structure, message):
        """What cannot be a parameter is refused by name, with what came and what to try."""
        with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
            Parameters(structure)

    def test_python_integer(self):
        """An int among the parameters is refused with an advice that an int can follow."""
        with pytest.raises(
            InputError, match=r"^parameter n must be a float32 or float64 array; got int 3\."
        ) as e:
            Parameters({"n": 3})
        assert ".astype" not in str(e.value)

    def test_non_finite_in_fortran_order_far_into_a_block(self, monkeypatch):
        """The index of a NaN is the user's, whatever the layout and however far into the block."""
        for module in ("arrays", "problem.block", "problem.working_copy"):
            monkeypatch.setattr(f"fastgrad.{module}.PIECE", 4)
        W = np.asfortranarray(np.ones((3, 4)))
        W[2, 1] = np.nan
        with pytest.raises(InputError, match=r"^parameter W\[2, 1\] is nan"):
            Parameters({"W": W})


class TestRefusedStructures:
    def test_masked_array(self):
        """A masked array is refused: its mask would be lost without a word."""
        with pytest.raises(InputError, match="parameter W is a masked array"):
            Parameters({"W": np.ma.masked_array([1.0, 2.0], [True, False])})


class TestBlock:
    BLOCK = Block("W", (2, 3), np.dtype(np.float64), 10)

    def test_place(self):
        """A block knows where it starts and stops, and a coordinate's index in it."""
        assert (self.BLOCK.size, self.BLOCK.stop) == (6, 16)
        assert [self.BLOCK.index(i) for i in (10, 15)] == [(0, 0), (1, 2)]
        assert self.BLOCK.label(13) == "W[1, 0]"

    def test_scalar(self):
        """A scalar block has its bare name."""
        assert Block("s", (), np.dtype(np.float64), 4).label(4) == "s"


class TestLeaves:
    def test_parameter_leaf(self):
        """A leaf in the machine's byte order is taken as it is; another is a copy in that order."""
        native, swapped = np.ones(3), np.ones(3, dtype=">f8")

        assert parameter_leaf(native, "a") is native
        assert parameter_leaf(swapped, "a").dtype == np.dtype(np.float64).newbyteorder("=")

    @pytest.mark.parametrize(
        ("leaf", "message"),
        [
            (
                np.ones((3, 2)),
                r"must have shape \(2, 3\), as the parameter has; got shape \(3, 2\): transposed\?",
            ),
            (np.ones(6), "the size is right, reshape it"),
            (np.ones((2, 3), dtype=int), "integers drop the fraction"),
            (None, "Is a return missing"),
        ],
    )
    def test_matching_leaf(self, leaf, message):
        """A gradient of another make is refused with what may have happened."""
        with pytest.raises(InputError, match=message):
            matching_leaf(leaf, TestBlock.BLOCK, "gradient")

    def test_matching_leaf_is_flat(self):
        """One of the right make is seen flat."""
        assert matching_leaf(np.arange(6.0).reshape(2, 3), TestBlock.BLOCK, "gradient").tolist() == list(
            range(6)
        )

    def test_typical_size(self):
        """The typical size is the rms, with a least size, and 1 for zeros."""
        assert typical_size(np.array([3.0, 4.0])) == pytest.approx(12.5**0.5)
        assert typical_size(np.full(3, 1e-9)) == SMALLEST_TYPICAL_SIZE
        assert typical_size(np.zeros(3)) == 1.0

    def test_describe(self):
        """Values are described in a few words, however long they are."""
        assert describe(np.ones((2, 3))) == "float64 array of shape (2, 3)"
        assert describe({"a": 1}) == "a dict with keys ['a']"
        assert describe([1, 2]) == "a list of length 2"
        assert len(describe("x" * 1000)) < 70
