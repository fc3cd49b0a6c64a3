"""What engines share: a private copy, and seeing that the cost leaves it alone."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from fastgrad.engines.base import require_unchanged
from fastgrad.engines.python import PythonEngine
from fastgrad.errors import InputError
from fastgrad.problem.parameters import Parameters
from fastgrad.problem.working_copy import WorkingCopy


def total(x):
    """The sum of all entries."""
    return float(np.sum(x))


def test_the_private_copy_is_made_on_use_and_given_back():
    """An engine copies the parameters when it is first asked, and forgets the copy when it is told to."""
    engine = PythonEngine(total, Parameters(np.ones(3)))
    assert engine._working is None
    copy = engine.working
    assert engine.working is copy
    engine.release()
    assert engine._working is None


def test_the_private_copy_does_not_travel():
    """A pickled engine leaves its copy behind: each worker makes its own."""
    engine = PythonEngine(total, Parameters(np.ones(3)))
    engine.baseline()
    assert pickle.loads(pickle.dumps(engine))._working is None


def test_a_small_change_is_printed_until_it_shows():
    """Both values have as many digits as it takes to see that they differ."""
    working = WorkingCopy(Parameters(np.array([0.232745])))
    working.flat_leaves[0][0] += 3e-11
    with pytest.raises(InputError, match=r"params\[0\] was 0\.232745 and is 0\.23274500003 after one call"):
        require_unchanged(working)
    working.flat_leaves[0][0] = np.nextafter(0.232745, 1)
    with pytest.raises(InputError, match=r"was 0\.232745 and is 0\.23274500000000004 after"):
        require_unchanged(working)


def test_a_change_is_named():
    """A cost that wrote to its parameters is refused with the coordinate and both values."""
    working = WorkingCopy(Parameters({"W": np.zeros((2, 2))}))
    working.flat_leaves[0][3] = 5.0
    with pytest.raises(InputError, match=r"W\[1, 1\] was 0 and is 5 after one call"):
        require_unchanged(working)
