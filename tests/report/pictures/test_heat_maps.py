"""Maps show the worst of each cell, at its place."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_cases import report_of, wrong

import fastgrad
from fastgrad.report.pictures.heat_maps import BLOCKS, CELLS, heat_maps, sheet_of
from fastgrad.report.pictures.levels import FIRST_WRONG


def test_one_wrong_entry_of_a_million_is_seen():
    """The maximum is kept and not the mean: the cell of the entry is wrong, and it alone."""
    x = np.random.default_rng(0).normal(size=(1000, 1000))
    g = 2 * x
    g[123, 456] *= 1.01
    report = fastgrad.check_gradient(lambda x: float((x**2).sum()), g, x)
    [found] = heat_maps(report)
    assert max(found.levels.shape) <= CELLS
    rows, columns = np.nonzero(found.levels >= FIRST_WRONG)
    assert (rows.tolist(), columns.tolist()) == ([123 // found.each[0]], [456 // found.each[1]])


def test_small_blocks_have_a_cell_for_each_entry():
    """The wrong cells of a small block are its wrong entries."""
    maps = {found.name: found for found in heat_maps(wrong())}
    assert np.argwhere(maps["W"].levels >= FIRST_WRONG).tolist() == [[0, 1], [1, 2]]
    assert np.argwhere(maps["b"].levels >= FIRST_WRONG).tolist() == [[0, 2]]
    assert maps["W"].of_a_cell == 1


def test_worst_blocks_first():
    """Of many blocks those with most wrong entries have a map."""
    sizes = [(f"block{k}", (2, 2)) for k in range(BLOCKS + 8)]
    report = report_of({"block15": {(0, 0): 1.0}, "block17": {(0, 0): 1.0, (1, 1): 1.0}}, sizes)
    names = [found.name for found in heat_maps(report)]
    assert names[:2] == ["block17", "block15"]
    assert len(names) == BLOCKS


def test_what_was_not_checked_is_empty():
    """Entries outside of a subset have level 0, in whatever order the subset was given."""
    report = report_of({"W": {(1, 2): 0.5}}, coordinates=np.array([5, 0]))
    [found] = heat_maps(report)
    assert (found.levels > 0).tolist() == [[True, False, False], [False, False, True]]
    assert found.levels[1, 2] >= FIRST_WRONG > found.levels[0, 0]


@given(st.lists(st.integers(1, 400), min_size=0, max_size=4))
def test_every_entry_has_a_place(shape):
    """A sheet has room for all entries, and less than a line of room to spare."""
    (rows, columns), folded = sheet_of(tuple(shape))
    size = int(np.prod(shape, dtype=int)) if shape else 1
    assert 0 <= rows * columns - size < columns
    assert folded or rows * columns == size


@pytest.mark.parametrize(("shape", "sheet"), [((3, 4, 5), (3, 20)), ((32,), (1, 32)), ((33,), (3, 12))])
def test_sheets(shape, sheet):
    """A long vector is folded, an array of more dimensions has a row for each first index."""
    assert sheet_of(shape)[0] == sheet
