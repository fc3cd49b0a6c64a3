"""Derivatives outside a pattern are found."""

import numpy as np
import pytest
from scipy import sparse
from vector_cases import CHAIN, Case

from fastgrad.vector.missing import MOST_EVALUATIONS, extended, missing_entries


def without(*entries):
    """The pattern of the chain without some entries."""
    full = sparse.lil_array(CHAIN.jacobian(CHAIN.x))
    for entry in entries:
        full[entry] = 0
    pattern = full.tocsc()
    pattern.eliminate_zeros()
    return pattern


@pytest.mark.parametrize("entries", [[(5, 6)], [(5, 6), (80, 79)], [(5, 6), (5, 4)], [(5, 6), (6, 5)]])
def test_found(entries):
    """Exactly the entries that were left out are found, alone or together, in one row or in neighbours."""
    moved = CHAIN.problem().moved
    rows = np.unique([k for k, _ in entries])
    found = missing_entries(without(*entries), moved, rows)
    assert sorted(found) == sorted(entries)


def test_added():
    """With what was found the pattern is whole again."""
    again = extended(without((5, 6), (80, 79)), [(5, 6), (80, 79)])
    assert (again.toarray() == (CHAIN.jacobian(CHAIN.x).toarray() != 0)).all()


def test_too_many():
    """Of a function with another pattern nothing is looked for at length."""
    calls = []

    def function(x):
        calls.append(1)
        return CHAIN.function(x) + x.sum()

    moved = Case(function, CHAIN.jacobian, CHAIN.x).problem().moved
    assert missing_entries(without(), moved, np.arange(100)) is None
    calls.clear()
    found = missing_entries(without(), moved, np.arange(60))
    assert len(calls) <= MOST_EVALUATIONS
    assert found is None or len(found) == 60 * 120 - sum(2 if k == 0 else 3 for k in range(60))
