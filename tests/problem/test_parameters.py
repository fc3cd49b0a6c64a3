"""Parameters: any nesting of arrays as named blocks over one flat vector, and back, losing nothing."""

from __future__ import annotations

import pickle
import re
from collections import OrderedDict, defaultdict

import numpy as np
import pytest
from hypothesis import given
from parameter_cases import flat_of, holds_numbers_only, naive_leaves, nonempty, structures

from fastgrad.errors import InputError
from fastgrad.problem.parameters import Parameters
from fastgrad.problem.working_copy import WorkingCopy


def assert_same(got, expected):
    """Same containers, same order of keys, same shapes, same bytes."""
    if isinstance(expected, dict):
        assert type(got) is type(expected)
        assert list(got) == list(expected)
        for key, entry in expected.items():
            assert_same(got[key], entry)
    elif isinstance(expected, list | tuple) and not holds_numbers_only(expected):
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


class TestMemoryMaps:
    @pytest.fixture
    def path(self, tmp_path):
        """A file of six float64 numbers."""
        np.arange(6.0).tofile(tmp_path / "theta.bin")
        return tmp_path / "theta.bin"

    @pytest.mark.parametrize("mode", ["r", "r+", "c"])
    def test_file_is_never_written(self, path, mode):
        """Parameters in a memory map of any mode are read, and neither the map nor its file changes."""
        theirs = np.memmap(path, dtype=np.float64, mode=mode, shape=(2, 3))
        before = path.read_bytes()
        p = Parameters({"W": theirs})
        working = WorkingCopy(p)
        assert working.structure["W"].tolist() == [[0, 1, 2], [3, 4, 5]]
        assert type(working.structure["W"]) is np.ndarray
        working.structure["W"][:] = 77.0
        assert theirs.tolist() == [[0, 1, 2], [3, 4, 5]]
        assert path.read_bytes() == before

    def test_what_was_changed_in_a_private_map_counts(self, path):
        """What the user wrote into a copy-on-write map is what is checked, also in a worker."""
        theirs = np.memmap(path, dtype=np.float64, mode="c")
        theirs[2] = 9.5
        p = Parameters(theirs)
        sent = pickle.loads(pickle.dumps(p))
        assert not np.shares_memory(p.leaves[0], theirs)  # joblib would send the name of its file
        assert WorkingCopy(sent).structure.tolist() == [0, 1, 9.5, 3, 4, 5]

    def test_a_workers_private_map_is_used_as_it_is(self, path):
        """In a worker a copy-on-write map is private already: no second copy, and the file stays."""
        p = Parameters(np.arange(6.0))
        p.leaves = (np.memmap(path, dtype=np.float64, mode="c"),)
        before = path.read_bytes()
        working = WorkingCopy(p)
        assert np.shares_memory(working.flat_leaves[0], p.leaves[0])
        working.flat_leaves[0][0] = 77.0
        assert path.read_bytes() == before

    @pytest.mark.parametrize("mode", ["r", "r+"])
    def test_a_workers_shared_map_is_copied(self, path, mode):
        """In a worker a map that others read, or that writes to its file, is copied first."""
        p = Parameters(np.arange(6.0))
        p.leaves = (np.memmap(path, dtype=np.float64, mode=mode),)
        before = path.read_bytes()
        WorkingCopy(p).structure[:] = 77.0
        assert p.leaves[0].tolist() == [0, 1, 2, 3, 4, 5]
        assert path.read_bytes() == before


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
            [np.ones(2), np.ones(3, dtype=np.clongdouble)],
            "parameter params[1] must be a float32 or float64 array; got "
            f"{np.dtype(np.clongdouble)} array of shape (3,). "
            "Pass params[1].astype(np.complex128) or np.complex64.",
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
        with pytest.raises(InputError, match=rf"^{re.escape(message)} \[FG10[1-7]\]$"):
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
        with pytest.raises(InputError, match=rf"^{re.escape(message)} \[FG(103|30[123])\]$"):
            Parameters(self.PARAMS).match(gradient, "gradient")

    # parameters, gradient, what is said of the containers, for their leaves have the same names
    CONTAINERS = (
        ({"a": {"b": np.ones(2)}}, {"a.b": np.ones(2)}, "expected {'a': {'b': *}}, got {'a.b': *}"),
        ([np.ones(2)], {0: np.ones(2)}, "expected [*], got {0: *}"),
    )

    @pytest.mark.parametrize(("params", "gradient", "said"), CONTAINERS)
    def test_other_container_with_the_same_names(self, params, gradient, said):
        """Where only a container differs, the message says which was expected and which came."""
        message = f"the gradient has another structure than the parameters; its containers differ: {said}"
        with pytest.raises(InputError, match=rf"^{re.escape(message)} \[FG301\]$"):
            Parameters(params).match(gradient, "gradient")

    def test_float32_gradient_of_float64_parameters_is_taken(self):
        """The gradient may be in another float dtype than its parameter."""
        [leaf] = Parameters(np.ones(2)).match(np.array([1, 2], dtype=np.float32), "gradient")
        assert leaf.tolist() == [1.0, 2.0]
