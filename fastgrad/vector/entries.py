"""Which entries of a wrong column of J are wrong.

The numbers of a whole column are known from a few evaluations of F. Rows are halved as long as what is
claimed of a half, one product, is not what its numbers add up to.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

import numpy as np

from fastgrad.arrays import Floats, IndexArray
from fastgrad.checks import check
from fastgrad.errors import InputError
from fastgrad.problem.problem import Problem
from fastgrad.report.findings import Entry
from fastgrad.vector.claims import Claim
from fastgrad.vector.combination import Combination
from fastgrad.vector.each_entry import RIGHT, ROUNDINGS
from fastgrad.vector.function import MovedFunction
from fastgrad.vector.guard import SINGLE

COLUMNS = 3
"""How many wrong columns are looked into."""

OF_A_COLUMN = 3
"""How many entries of each are named."""

LOOKED_INTO = 8
"""How many suspicious entries are looked into."""

STEPS = (2.0**-9, 2.0**-12)
"""Steps of differences of a whole column, in units of the parameter; in float32 SINGLE_STEPS."""

SINGLE_STEPS = (2.0**-4, 2.0**-6)

CALM = 4.0
"""Sums count as different from so many times their bound."""


def wrong_entries(claim: Claim, columns: IndexArray) -> tuple[Entry, ...]:
    """Some wrong entries of some wrong columns, worst columns first.

    Parameters
    ----------
    claim : Claim
    columns : the wrong columns, worst first
    """
    found = (entry for column in columns[:COLUMNS] for entry in _of_column(claim, int(column)))
    return tuple(found)


def confirmed(claim: Claim, suspicions: Iterable[tuple[int, int]]) -> tuple[Entry, ...]:
    """Those of some entries that careful differences find wrong.

    Parameters
    ----------
    claim : Claim
    suspicions : rows and columns, of which the first LOOKED_INTO are looked into
    """
    found = (_entry(claim, column, row) for row, column in islice(suspicions, LOOKED_INTO))
    return tuple(entry for entry in found if entry is not None)


def _of_column(claim: Claim, column: int) -> list[Entry]:
    slopes, bounds = _differences(claim.vector.moved, column)
    known = np.flatnonzero(np.isfinite(slopes) & np.isfinite(bounds))
    halved = _halved(claim, column, known, slopes, bounds)
    entries = (_entry(claim, column, int(row)) for row in islice(halved, 2 * OF_A_COLUMN))
    return [entry for entry in entries if entry is not None][:OF_A_COLUMN]


def _differences(moved: MovedFunction, column: int) -> tuple[Floats, Floats]:
    """(m,) central differences of all outputs by one parameter, and a bound that is no more than likely."""
    steps = SINGLE_STEPS if moved.epsilon > SINGLE else STEPS
    slopes = []
    for step in steps:
        by = np.zeros(len(moved.sizes))
        by[column] = h = step * moved.sizes[column]
        slopes.append((moved(by) - moved(-by)) / (2 * h))
    with np.errstate(all="ignore"):
        rounding = ROUNDINGS * moved.epsilon * np.abs(moved.outputs.values) / h
        bounds = np.abs(slopes[0] - slopes[1]) + rounding + RIGHT * np.abs(slopes[1])
    return slopes[1], np.asarray(bounds)


def _halved(claim: Claim, column: int, rows: IndexArray, slopes: Floats, bounds: Floats) -> Iterator[int]:
    """Rows that are left when those are halved whose claim is not what the slopes add up to."""
    u = claim.vector.weights
    if not len(rows):
        return
    with np.errstate(all="ignore"):
        off = abs(claim.among(column, rows, u) - float(u[rows] @ slopes[rows]))
        wrong = not off <= CALM * float(np.sqrt(np.sum((u[rows] * bounds[rows]) ** 2)))
    if wrong and len(rows) == 1:
        yield int(rows[0])
    elif wrong:
        half = len(rows) // 2
        yield from _halved(claim, column, rows[:half], slopes, bounds)
        yield from _halved(claim, column, rows[half:], slopes, bounds)


def _entry(claim: Claim, column: int, row: int) -> Entry | None:
    """One entry, if a check of that output by that parameter finds it wrong."""
    vector = claim.vector
    one, claimed = np.zeros(vector.outputs.size), np.zeros(vector.parameters.size)
    one[row] = 1.0
    claimed[column] = claim.among(column, np.array([row]), one)
    problem = Problem(
        Combination(vector.function, vector.outputs, one), vector.in_parameters(claimed), vector.params,
        vector.args,
    )  # fmt: skip
    try:
        report = check(
            problem, coordinates=np.array([column]), engine="python", seed=vector.options.seed, progress=False
        )
    except InputError:
        return None
    if not report.wrong:
        return None
    found = report.wrong[0]
    names = vector.outputs.label(row), vector.parameters.label(column)
    return Entry(*names, row, column, found.claimed, found.numeric, found.error_bound)
