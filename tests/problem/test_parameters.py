"""Parameters: any nesting of arrays as named blocks over one flat vector, and back, losing nothing."""

from __future__ import annotations

import pickle
import re
from collections import OrderedDict, defaultdict, namedtuple

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from fastgrad.arrays import root_mean_square
from fastgrad.errors import InputError
from fastgrad.problem.parameters import Parameters
from fastgrad.problem.structure import block_name
from fastgrad.problem.working_copy import WorkingCopy

Layer = namedtuple("Layer", ["W", "b"])

DTYPES = ["<f8", "<f4", ">f8", ">f4"]

# how an array may lie in memory, by name
LAYOUTS = {
    "C": np.ascontiguousarray,
    "Fortran": np.asfortranarray,
    "strided": lambda a: np.repeat(a, 2, axis=-1)[..., ::2] if a.ndim else a,
    "reversed": lambda a: a[::-1].copy()[::-1] if a.ndim else a,
    "read-only": lambda a: np.frombuffer(a.tobytes(), dtype=a.dtype).reshape(a.shape),
}

shapes = st.lists(st.integers(0, 3), max_size=3).map(tuple)


@st.composite
def arrays(draw):
    """A float array of any small shape, dtype and layout; its entries are short decimals."""
    shape = draw(shapes)
    size = int(np.prod(shape, dtype=int))
    tenths = draw(st.lists(st.integers(-99, 99), min_size=size, max_size=size))
    array = (np.array(tenths, dtype=float) / 10).reshape(shape).astype(draw(st.sampled_from(DTYPES)))
    return LAYOUTS[draw(st.sampled_from(sorted(LAYOUTS)))](array)


def containers(children):
    """Dicts, lists, tuples and namedtuples of such structures."""
    return st.one_of(
        st.dictionaries(st.text("zyxab", min_size=1, max_size=2), children, max_size=3),
        st.lists(children, max_size=3),
        st.lists(children, max_size=3).map(tuple),
        st.tuples(children, children).map(Layer._make),
    )


structures = st.recursive(
    st.one_of(arrays(), st.none(), st.floats(-9, 9).map(lambda v: round(v, 1))), containers, max_leaves=6
)


def naive_leaves(structure):
    """Reference: all leaves as flat arrays, in the order in which the user wrote them."""
    if structure is None:
        return []
    if isinstance(structure, dict):
        structure = list(structure.values())
    if isinstance(structure, list | tuple):
        return [leaf for entry in structure for leaf in naive_leaves(entry)]
    return [np.asarray(structure)]


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


def flat_of(structure):
    """Reference: all numbers as one float64 vector."""
    flat = [leaf.reshape(-1).astype(np.float64) for leaf in naive_leaves(structure)]
    return np.concatenate(flat) if flat else np.empty(0)


def nonempty(structure):
    """The structure, if it has a number in it; otherwise hypothesis looks for another one."""
    assume(flat_of(structure).size > 0)
    return structure


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


class TestWorkingCopy:
    @given(structures)
    def test_never_aliases_the_users_arrays(self, structure):
        """Whatever is written into a working copy, the user's arrays keep their bytes."""
        p = Parameters(nonempty(structure))
        theirs = naive_leaves(structure)
        before = [leaf.tobytes() for leaf in theirs]
        working = WorkingCopy(p)
        for mine in working.flat_leaves:
            assert not any(np.shares_memory(mine, leaf) for leaf in theirs)
            mine[:] = 77.0
        assert [leaf.tobytes() for leaf in theirs] == before

    @given(structures)
    def test_structure_sees_what_is_written_flat(self, structure):
        """The structure that the cost gets is a view of the flat leaves that the engine writes to."""
        working = WorkingCopy(Parameters(nonempty(structure)))
        for mine in working.flat_leaves:
            mine[:] = 77.0
        assert set(flat_of(working.structure)) == {77.0}
        assert working.first_rebound() is None

    @given(structures, st.data())
    def test_first_change(self, structure, data):
        """first_change is the flat index of the first coordinate that differs; None while there is none."""
        p = Parameters(nonempty(structure))
        working = WorkingCopy(p)
        assert working.first_change() is None
        changed = data.draw(st.sets(st.integers(0, p.size - 1), min_size=1, max_size=3))
        for i in changed:
            number = int(p.block_numbers(np.array([i]))[0])
            working.flat_leaves[number][i - p.blocks[number].start] += 1000
        assert working.first_change() == min(changed)

    def test_first_change_far_into_a_large_block(self, monkeypatch):
        """A change is found also beyond the first piece of a large block."""
        for module in ("arrays", "problem.block", "problem.working_copy"):
            monkeypatch.setattr(f"fastgrad.{module}.PIECE", 4)
        working = WorkingCopy(Parameters({"a": np.zeros(3), "b": np.zeros(11)}))
        working.flat_leaves[1][9] = 1.0
        assert working.first_change() == 12

    def test_change_to_nan_is_a_change(self):
        """A cost that writes NaN into its parameters has changed them."""
        working = WorkingCopy(Parameters(np.zeros(3)))
        working.structure[1] = np.nan
        assert working.first_change() == 1

    # what the cost does to the structure it was given, what is reported
    REBINDINGS = (
        (lambda s: s["W"].__iadd__(1), None),
        (lambda s: s.update(W=s["W"] + 0), "W"),
        (lambda s: s["l"].__setitem__(1, np.ones(2)), "l[1]"),
        (lambda s: s.update(l=[s["l"][0], s["l"][1]]), None),
        (lambda s: s.pop("W"), "an entry"),
        (lambda s: s.update(cache=1.0), "an entry"),
        (lambda s: s["l"].append(np.ones(2)), "an entry"),
    )

    @pytest.mark.parametrize(("act", "reported"), REBINDINGS)
    def test_first_rebound(self, act, reported):
        """A leaf that was replaced, removed or added is noticed, and named where it has a name."""
        working = WorkingCopy(Parameters({"W": np.zeros(2), "l": [np.zeros(2), np.zeros(2)]}))
        act(working.structure)
        assert working.first_rebound() == reported

    def test_in_another_dtype(self):
        """For the complex step the copy holds complex numbers, equal to the user's."""
        working = WorkingCopy(Parameters({"a": np.ones(2, np.float32), "b": 2.0}), np.complex128)
        assert [leaf.dtype for leaf in working.flat_leaves] == [np.complex128] * 2
        assert flat_of({k: v.real for k, v in working.structure.items()}).tolist() == [1.0, 1.0, 2.0]


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


class TestRootMeanSquare:
    # values, rms: neither squares that overflow nor squares that vanish
    TABLE = (
        ([3.0, 4.0], 12.5**0.5),
        ([0.0, 0.0], 0.0),
        ([], 0.0),
        ([1e300, 1e300], 1e300),
        ([1e-300, -1e-300], 1e-300),
    )

    @pytest.mark.parametrize(("values", "rms"), TABLE)
    def test_values(self, values, rms):
        """The rms is right also where squares overflow or vanish, and 0 for no numbers at all."""
        assert root_mean_square(np.array(values)) == pytest.approx(rms, rel=1e-15)

    def test_float32_in_pieces(self, monkeypatch, rng):
        """A float32 leaf is summed in float64, piece by piece."""
        for module in ("arrays", "problem.block", "problem.working_copy"):
            monkeypatch.setattr(f"fastgrad.{module}.PIECE", 7)
        leaf = rng.array(100, dtype=np.float32)
        expected = np.sqrt(np.mean(leaf.astype(np.float64) ** 2))
        assert root_mean_square(leaf) == pytest.approx(expected, rel=1e-14)


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


@pytest.mark.parametrize("dtype", [None, np.complex128])
def test_first_change_among_some(dtype):
    """Of the coordinates that are looked at the first that changed is found, an imaginary part too."""
    copy = WorkingCopy(Parameters({"a": np.ones(5), "b": np.ones(4)}), dtype)
    copy.flat_leaves[0][1] = 2.0
    copy.flat_leaves[1][2] += 1e-30j if dtype else 1.0
    assert copy.first_change(np.array([0, 4, 5, 8])) is None
    assert copy.first_change(np.array([0, 7, 8])) == 7
    assert copy.first_change() == 1
