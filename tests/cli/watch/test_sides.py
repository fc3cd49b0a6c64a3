"""Blocks of two reports, side by side."""

from __future__ import annotations

from watch_cases import found

from fastgrad.cli.watch.sides import paired, sides_of


def test_places_are_counted_from_the_block():
    """The coordinates of each block start at 0, whatever stands before it; an empty block has none."""
    report = found(
        {"b": {2: 1}}, {"W": [4]}, sizes={"W": (2, 3), "empty": (0,), "b": (3,)}, coordinates=[4, 8]
    )
    w, empty, b = sides_of(report)
    assert [side.start for side in (w, empty, b)] == [0, 6, 6]
    assert [list(side.checked) for side in (w, empty, b)] == [[4], [], [2]]
    assert [list(side.wrong) for side in (w, empty, b)] == [[], [], [2]]
    assert [list(side.undecided) for side in (w, empty, b)] == [[4], [], []]


def pairs(before, now):
    """The names in pairs."""
    both = paired(sides_of(found(sizes=before)), sides_of(found(sizes=now)))
    return [tuple(side and side.row.name for side in pair) for pair in both]


def test_by_name():
    """Blocks are found by name in any order; one in another place is not taken for a renamed one."""
    assert pairs({"a": (2,), "b": (2,)}, {"b": (2,), "a": (2,)}) == [("b", "b"), ("a", "a")]
    assert pairs({"a": (2,), "b": (2,)}, {"b": (2,), "c": (2,)}) == [("b", "b"), (None, "c"), ("a", None)]


def test_renamed():
    """The same place and shape make a block the same; another shape does not."""
    assert pairs({"a": (2,), "b": (2,)}, {"x": (2,), "b": (2,)}) == [("a", "x"), ("b", "b")]
    assert pairs({"a": (2,)}, {"x": (3,)}) == [(None, "x"), ("a", None)]
    assert pairs({"a": (2,)}, {"a": (2,), "x": (2,)}) == [("a", "a"), (None, "x")]


def test_indices_are_sorted():
    """Coordinates given in any order, and wrong ones worst first, are sorted and with their blocks."""
    report = found(
        {"a": {3: 9}, "b": {0: 1, 2: 5}}, sizes={"a": (5,), "b": (3,)}, coordinates=[7, 5, 3, 0, 4]
    )
    assert list(report.wrong.flat_indices) == [3, 7, 5]
    a, b = sides_of(report)
    assert [list(side.checked) for side in (a, b)] == [[0, 3, 4], [0, 2]]
    assert [list(side.wrong) for side in (a, b)] == [[3], [0, 2]]
