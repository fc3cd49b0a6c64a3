"""Whether F moves as a pattern says."""

import numpy as np
import pytest
from scipy import sparse
from vector_cases import CASES, Case

from fastgrad.vector.groups import Groups
from fastgrad.vector.guard import outside


def groups_of(case):
    """The groups of its true pattern."""
    return Groups.of(sparse.csc_array(case.jacobian(case.x)))


@pytest.mark.parametrize("name", ["elementwise", "rows", "chain"])
@pytest.mark.parametrize("seed", range(5))
def test_holds(name, seed):
    """Nothing lies outside a true pattern."""
    case = CASES[name]
    assert not outside(groups_of(case), case.problem().moved, seed).any()


@pytest.mark.parametrize("size", [1.0, 1e-2, 1e-4])
@pytest.mark.parametrize("name", ["elementwise", "chain"])
def test_one_more(name, size):
    """One derivative outside the pattern shows in its row, down to small ones."""
    case = CASES[name]

    def function(x):
        y = case.function(x)
        y[17] += size * x[40]
        return y

    found = outside(groups_of(case), Case(function, case.jacobian, case.x).problem().moved, 0)
    assert np.flatnonzero(found).tolist() == [17]


def test_single():
    """In float32 a true pattern holds too, and an ordinary entry outside of it shows."""
    case = CASES["elementwise"]
    x = case.x.astype(np.float32)
    assert not outside(groups_of(case), Case(np.tanh, case.jacobian, x).problem().moved, 0).any()

    def function(x):
        y = np.tanh(x)
        y[17] += x[40]
        return y

    found = outside(groups_of(case), Case(function, case.jacobian, x).problem().moved, 0)
    assert np.flatnonzero(found).tolist() == [17]


def test_kinks():
    """Kinks within the steps are not taken for derivatives outside the pattern."""
    x = np.linspace(-1, 1, 64)
    x[10] = 1e-9

    def function(x):
        return np.abs(x)

    case = Case(function, lambda x: np.eye(64), x)
    assert not outside(groups_of(case), case.problem().moved, 0).any()
