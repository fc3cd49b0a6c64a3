"""The private copy of the parameters: what was changed in it is found."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from parameter_cases import flat_of, naive_leaves, nonempty, structures

from fastgrad.problem.parameters import Parameters
from fastgrad.problem.working_copy import MANY_BLOCKS, WorkingCopy


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


@pytest.mark.parametrize("dtype", [None, np.complex128])
def test_first_change_among_some(dtype):
    """Of the coordinates that are looked at the first that changed is found, an imaginary part too."""
    copy = WorkingCopy(Parameters({"a": np.ones(5), "b": np.ones(4)}), dtype)
    copy.flat_leaves[0][1] = 2.0
    copy.flat_leaves[1][2] += 1e-30j if dtype else 1.0
    assert copy.first_change(np.array([0, 4, 5, 8])) is None
    assert copy.first_change(np.array([0, 7, 8])) == 7
    assert copy.first_change() == 1


@pytest.mark.parametrize("blocks", [3, MANY_BLOCKS, 500])
@pytest.mark.parametrize("changed", [None, 0, 2])
def test_a_change_in_one_of_many_blocks(blocks, changed):
    """Where there are many blocks, a change is found in the one that it is in."""
    working = WorkingCopy(Parameters([np.array([float(k), 1.0]) for k in range(blocks)]))
    if changed is not None:
        working.flat_leaves[changed][1] += 1e-9
    assert working.first_change() == (None if changed is None else 2 * changed + 1)


def test_a_large_block_among_many():
    """A change in a block that is large is found, too, beside many small ones."""
    sizes = [1] * MANY_BLOCKS + [MANY_BLOCKS * 2**17]
    working = WorkingCopy(Parameters([np.zeros(size, dtype=np.float32) for size in sizes]))
    assert working.first_change() is None
    working.flat_leaves[-1][-1] = 1.0
    assert working.first_change() == sum(sizes) - 1
