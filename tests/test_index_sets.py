"""Sets as increasing arrays give what NumPy's set functions give, and slices what the indices give."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastgrad import index_sets

INTEGERS = st.lists(st.integers(-9, 9), max_size=12).map(lambda values: np.array(values, dtype=np.intp))


@given(INTEGERS)
def test_distinct(a):
    """The distinct values are np.unique's, and what was given is not changed."""
    before = a.copy()
    assert index_sets.distinct(a).tolist() == np.unique(a).tolist()
    assert a.tolist() == before.tolist()


@given(INTEGERS, INTEGERS)
def test_pairs(a, b):
    """Union, difference and intersection are those of NumPy."""
    assert index_sets.union(a, b).tolist() == np.union1d(a, b).tolist()
    assert index_sets.without(a, b).tolist() == np.setdiff1d(a, b).tolist()
    assert index_sets.common(a, b).tolist() == np.intersect1d(a, b).tolist()


@given(INTEGERS, INTEGERS)
def test_holds(a, b):
    """Membership in an increasing vector is np.isin's."""
    assert index_sets.holds(np.unique(a), b).tolist() == np.isin(b, a).tolist()


@given(INTEGERS)
def test_as_run(a):
    """What stands at the indices is the same by slice, whatever their order; a run is a slice."""
    of = np.arange(30) * 10
    found = index_sets.as_run(a + 9)
    assert of[found].tolist() == of[a + 9].tolist()
    consecutive = len(a) > 0 and a.tolist() == list(range(a[0], a[0] + len(a)))
    assert isinstance(found, slice) == consecutive


@given(INTEGERS, st.data())
def test_positions_of(a, data):
    """Values are found where they stand; where they stand in one piece as a slice."""
    a = np.unique(a)
    values = a[data.draw(st.lists(st.booleans(), min_size=len(a), max_size=len(a)))] if len(a) else a
    assert a[index_sets.positions_of(a, values)].tolist() == values.tolist()
    assert isinstance(index_sets.positions_of(a, a), slice) == (len(a) > 0)


@pytest.mark.parametrize(("size", "count"), [(1, 5), (5, 5), (10**9, 64), (7, 3)])
def test_spread_over(size, count):
    """As many as asked for, increasing, from the first to the last."""
    found = index_sets.spread_over(size, count)
    assert len(found) == min(size, count)
    assert (found[0], found[-1]) == (0, size - 1 if len(found) > 1 else 0)
    assert (np.diff(found) > 0).all()
