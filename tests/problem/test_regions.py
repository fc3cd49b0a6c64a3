"""Parts of the parameters: each coordinate is in exactly one half, at one position, in one stretch."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastgrad.problem.parameters import Parameters
from fastgrad.problem.regions import Rectangle, Region

SHAPES = st.lists(
    st.one_of(
        st.just(()),
        st.tuples(st.integers(0, 6)),
        st.tuples(st.integers(0, 5), st.integers(0, 5)),
        st.tuples(st.integers(1, 4), st.integers(0, 3), st.integers(1, 3)),
    ),
    min_size=1,
    max_size=4,
).filter(lambda shapes: any(int(np.prod(shape)) > 0 for shape in shapes))


def made_of(shapes):
    """Parameters with blocks of these shapes."""
    return Parameters([np.zeros(shape) for shape in shapes])


def coordinates(part):
    """Its coordinates, in the order of their positions."""
    return [part.flat_index(p) for p in range(part.size)]


def some_part(shapes, turns):
    """A part that a search may come to: the whole, halved so many times, left or right."""
    part = Region.whole(made_of(shapes))
    for turn in turns:
        if part.size < 2:
            break
        part = part.halves()[turn]
    return part


PARTS = st.builds(some_part, SHAPES, st.lists(st.integers(0, 1), max_size=6))


class TestPart:
    @given(shapes=SHAPES)
    def test_whole_is_everything(self, shapes):
        """The whole has every coordinate once, in the order of the flat vector; empty blocks have none."""
        parameters = made_of(shapes)
        whole = Region.whole(parameters)
        assert coordinates(whole) == list(range(parameters.size))
        assert all(r.size for r in whole.rectangles)

    @given(part=PARTS)
    def test_halves_partition(self, part):
        """Two halves have all coordinates of a part, each once, in order, and none is empty."""
        if part.size < 2:
            return
        first, second = part.halves()
        assert coordinates(first) + coordinates(second) == coordinates(part)
        assert first.size > 0
        assert second.size > 0

    @given(part=PARTS)
    def test_halving_ends(self, part):
        """Halving comes to single coordinates, in as many halvings as there are coordinates, less one."""
        stack, singles, halvings = [part], 0, 0
        while stack:
            p = stack.pop()
            if p.size == 1:
                singles += 1
                continue
            halvings += 1
            stack += p.halves()
        assert (singles, halvings) == (part.size, part.size - 1)

    @given(part=PARTS)
    def test_flat_index_is_increasing_and_within(self, part):
        """Positions go row by row: flat indices increase, and the one after the last is refused."""
        found = coordinates(part)
        assert all(np.diff(found) > 0)
        with pytest.raises(IndexError):
            part.flat_index(part.size)

    @given(part=PARTS)
    def test_stretches_cover_exactly(self, part):
        """The stretches of its rectangles are its coordinates, each once, in the order of positions."""
        walked = [
            r.start + k for r in part.rectangles for start, stop in r.stretches() for k in range(start, stop)
        ]
        assert walked == coordinates(part)

    def test_some_blocks(self):
        """Of some blocks it has the coordinates of those, and not of the others."""
        part = Region.whole(made_of([(2, 3), (), (4,)]), [0, 2])
        assert coordinates(part) == [0, 1, 2, 3, 4, 5, 7, 8, 9, 10]

    def test_of_nothing(self):
        """Of no blocks, or of empty ones only, a part has no coordinates."""
        parameters = made_of([(0, 3), (2,)])
        assert Region.whole(parameters, []).size == 0
        assert Region.whole(parameters, [0]).size == 0
        assert Region.whole(parameters, [1]).size == 2

    def test_splits_between_blocks_then_rows_then_columns(self):
        """A part is halved between blocks where there are several, then between rows, then columns."""
        blocks = Region.whole(made_of([(4, 3), (3,)]))
        first, second = blocks.halves()
        assert [r.block for r in first.rectangles] == [0]
        assert [r.block for r in second.rectangles] == [1]
        top, bottom = first.halves()
        assert (top.rectangles[0].rows, bottom.rectangles[0].rows) == ((0, 2), (2, 4))
        left, right = top.halves()[0].halves()
        assert (left.rectangles[0].columns, right.rectangles[0].columns) == ((0, 1), (1, 3))

    def test_halves_between_blocks_are_balanced(self):
        """Between blocks the cut is where the sizes come nearest to half."""
        part = Region.whole(made_of([(2,), (3,), (100,), (4,)]))
        assert [p.size for p in part.halves()] in ([105, 4], [5, 104])
        even = Region.whole(made_of([(10,), (11,), (9,), (12,)]))
        assert [p.size for p in even.halves()] == [21, 21]


class TestRectangle:
    @pytest.mark.parametrize(
        ("shape", "rows", "width"),
        [((), 1, 1), ((5,), 1, 5), ((3, 4), 3, 4), ((3, 4, 2), 3, 8), ((1, 7), 1, 7), ((7, 1), 7, 1)],
    )
    def test_a_block_is_first_axis_by_the_others(self, shape, rows, width):
        """A block of any number of axes is seen as its first axis by all others."""
        r = Region.whole(made_of([(2,), shape]), [1]).rectangles[0]
        assert (r.rows, r.columns, r.width, r.start) == ((0, rows), (0, width), width, 2)

    def test_flat_index_is_row_major(self):
        """Inside a rectangle positions go along rows, and the flat index steps over what is left out."""
        r = Rectangle(block=1, start=100, width=10, rows=(2, 4), columns=(3, 6))
        assert [r.flat_index(p) for p in range(r.size)] == [123, 124, 125, 133, 134, 135]
        assert list(r.stretches()) == [(23, 26), (33, 36)]
        whole_rows = Rectangle(block=1, start=100, width=10, rows=(2, 4), columns=(0, 10))
        assert list(whole_rows.stretches()) == [(20, 40)]
