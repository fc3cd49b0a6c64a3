"""Parameters: any nesting of arrays is one flat vector, there and back."""

from __future__ import annotations

import pickle
import re
from collections import OrderedDict, defaultdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from structures import flat_of, naive_leaves, nonempty, structures

from fastgrad.errors import InputError
from fastgrad.problem.parameters import Parameters


def assert_same(got, expected):
    """Same containers, same order of keys, same shapes, same bytes."""
    if isinstance(expected, dict):
        assert type(got) is type(expected)
        assert list(got) == list(expected)
        got, expected = list(got.values()), list(expected.values())
    if isinstance(expected, list | tuple):
        assert type(got) is type(expected)
        assert len(got) == len(expected)
        for one, other in zip(got, expected, strict=True):
            assert_same(one, other)
    elif expected is None:
        assert got is None
    else:
        expected = np.asarray(expected)
        native = expected.astype(expected.dtype.newbyteorder("="))
        assert (got.shape, got.dtype, got.tobytes()) == (native.shape, native.dtype, native.tobytes())


class TestRoundTrip:
    @given(structures)
    def test_build_returns_what_was_flattened(self, structure):
        """Flattened and built again, a structure has its containers, key order, shapes, dtypes and bits."""
        p = Parameters(nonempty(structure))
        assert_same(p.build_arrays(p.leaves), structure)

    @given(structures)
    def test_flat_order_is_the_written_order(self, structure):
        """The flat vector is all leaves in C order, one after the other as the user wrote them."""
        p = Parameters(nonempty(structure))
        flat = flat_of(structure)
        assert p.size == flat.size
        assert np.concatenate([leaf.astype(np.float64) for leaf in p.leaves]).tolist() == flat.tolist()
        assert [b.start for b in p.blocks] + [p.size] == [0, *(b.stop for b in p.blocks)]
        assert [b.stop - b.start for b in p.blocks] == [leaf.size for leaf in naive_leaves(structure)]

    @given(structures)
    def test_survives_pickling(self, structure):
        """Parameters reach a worker whole: same blocks, same structure, same bits."""
        p = Parameters(nonempty(structure))
        q = pickle.loads(pickle.dumps(p))
        assert q.blocks == p.blocks
        assert_same(q.build_arrays(q.leaves), structure)

    @given(structures)
    def test_a_structure_matches_itself(self, structure):
        """A gradient of the same make as the parameters is taken leaf by leaf, whatever the layout."""
        p = Parameters(nonempty(structure))
        matched = p.match(structure, "gradient")
        assert (
            np.concatenate([leaf.astype(float) for leaf in matched]).tolist() == flat_of(structure).tolist()
        )

    @pytest.mark.parametrize("kind", [OrderedDict, lambda items: defaultdict(list, items)])
    def test_other_dicts(self, kind):
        """Ordered and default dicts keep their order and come back as what they were."""
        structure = kind([("z", np.ones(2)), ("a", np.zeros(1))])
        p = Parameters(structure)
        assert [b.name for b in p.blocks] == ["z", "a"]
        assert_same(p.build_arrays(p.leaves), structure)

    def test_match_goes_by_key(self):
        """The gradient's dict may have its keys in another order than the parameters'."""
        p = Parameters({"W": np.ones((1, 2)), "b": np.ones(1)})
        got = p.match({"b": np.array([3.0]), "W": np.array([[1.0, 2.0]])}, "gradient")
        assert [leaf.tolist() for leaf in got] == [[1.0, 2.0], [3.0]]


class TestBlocks:
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

    def test_is_single_array(self):
        """Only a bare array is a single array; a dict or list of one is not."""
        assert Parameters(np.ones(2)).is_single_array
        assert not Parameters([np.ones(2)]).is_single_array


class TestRefusedGradients:
    PARAMS = {"W": np.ones((2, 3)), "b": np.ones(3)}  # noqa: RUF012

    # gradient, the whole message
    MESSAGES = (
        (
            {"W": np.ones((3, 2)), "b": np.ones(3)},
            "the gradient of W must have shape (2, 3), as the parameter has; got shape (3, 2): transposed?",
        ),
        (
            {"W": np.ones(6), "b": np.ones(3)},
            "the gradient of W must have shape (2, 3), as the parameter has; got shape (6,): "
            "the size is right, reshape it",
        ),
        (
            {"W": np.ones((2, 3)), "b": np.ones(4)},
            "the gradient of b must have shape (3,), as the parameter has; got shape (4,)",
        ),
        (
            {"W": np.ones((2, 3)), "b": 0.5},
            "the gradient of b must have shape (3,), as the parameter has; got shape ()",
        ),
        (
            {"W": np.ones((2, 3), dtype=int), "b": np.ones(3)},
            "the gradient of W must hold real floats; got int64 array of shape (2, 3) "
            "(integers drop the fraction: compute it in floats)",
        ),
        (
            {"W": np.ones((2, 3)), "b": np.ones(3, dtype=complex)},
            "the gradient of b must hold real floats; got complex128 array of shape (3,)",
        ),
        (
            {"W": np.ones((2, 3)), "b": "no"},
            "the gradient of b must hold real floats; got str 'no'",
        ),
        (
            {"W": np.ones((2, 3)), "b": None},
            "the gradient of b must hold real floats; got NoneType None. Is a return missing?",
        ),
        (
            {"W": np.ones((2, 3)), "b": [[1.0], [2.0, 3.0]]},
            "the gradient of b is not an array: got a list of length 2. Join the pieces: "
            "np.concatenate((a.ravel(), b.ravel()))",
        ),
        (
            {"W": np.ones((2, 3))},
            "the gradient has another structure than the parameters; missing: b; "
            "expected {W: (2, 3), b: (3,)}; got a dict with keys ['W']",
        ),
        (
            {"W": np.ones((2, 3)), "b": np.ones(3), "c": np.ones(1)},
            "the gradient has another structure than the parameters; not among the parameters: c; "
            "expected {W: (2, 3), b: (3,)}; got a dict with keys ['W', 'b', 'c']",
        ),
        (
            [np.ones((2, 3)), np.ones(3)],
            "the gradient has another structure than the parameters; missing: W, b; "
            "not among the parameters: params[0], params[1]; "
            "expected {W: (2, 3), b: (3,)}; got a list of length 2",
        ),
        (
            np.ones(9),
            "the gradient has another structure than the parameters; missing: W, b; "
            "not among the parameters: params; expected {W: (2, 3), b: (3,)}; "
            "got float64 array of shape (9,); the size is right: reshape it to the parameters' structure",
        ),
        (
            None,
            "the gradient has another structure than the parameters; missing: W, b; "
            "expected {W: (2, 3), b: (3,)}; got NoneType None",
        ),
    )

    @pytest.mark.parametrize(("gradient", "message"), MESSAGES)
    def test_message(self, gradient, message):
        """A gradient of another make is refused: which leaf, what was expected, what came."""
        with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
            Parameters(self.PARAMS).match(gradient, "gradient")

    # parameters, gradient, what is said of the containers, for their leaves have the same names
    CONTAINERS = (
        ([np.ones(2)], (np.ones(2),), "expected [*], got (*,)"),
        ({"a": (1.0, None)}, {"a": [1.0, None]}, "expected {'a': (*, None)}, got {'a': [*, None]}"),
    )

    @pytest.mark.parametrize(("params", "gradient", "said"), CONTAINERS)
    def test_other_container_with_the_same_names(self, params, gradient, said):
        """Where only a container differs, the message says which was expected and which came."""
        message = f"the gradient has another structure than the parameters; its containers differ: {said}"
        with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
            Parameters(params).match(gradient, "gradient")

    def test_float32_gradient_of_float64_parameters_is_taken(self):
        """The gradient may be in another float dtype than its parameter."""
        [leaf] = Parameters(np.ones(2)).match(np.array([1, 2], dtype=np.float32), "gradient")
        assert leaf.tolist() == [1.0, 2.0]


class TestRefusedStructures:
    def test_segments_of_unordered_indices(self):
        """Indices in any order are grouped by block, in their own order within each."""
        parameters = Parameters({"a": np.zeros(3), "b": np.zeros(3)})
        indices = np.array([4, 0, 5, 2])
        groups = {number: indices[where].tolist() for number, where in parameters.segments(indices)}
        assert groups == {0: [0, 2], 1: [4, 5]}
