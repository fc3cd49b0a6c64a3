"""Functions along axes written as others; `test_coverage` compares what they give."""

import numpy as np
import pytest
from tape_cases import recorded

X = np.arange(1.0, 7.0).reshape(2, 3)
WRITTEN = {
    "np.sum": (lambda x: np.sum(x, axis=0), ["add.reduce"]),
    "np.mean": (lambda x: np.mean(x), ["add.reduce", "divide"]),
    "np.max": (lambda x: x.max(axis=1), ["maximum.reduce"]),
    "np.var": (lambda x: np.var(x), ["add.reduce", "divide", "subtract", "multiply", "add.reduce", "divide"]),
    "np.var in a dtype": (lambda x: np.var(x, dtype=np.float32), ["var"]),
    "np.mean where": (lambda x: np.mean(x, where=x > 2), ["greater", "mean"]),
    "np.diff": (lambda x: np.diff(x, axis=0), ["getitem", "getitem", "subtract"]),
    "np.cumsum": (lambda x: np.cumsum(x), ["ravel", "add.accumulate"]),
    "np.average": (lambda x: np.average(x), ["add.reduce", "divide"]),
}


@pytest.mark.parametrize("name", WRITTEN)
def test_what_they_are_written_as(name):
    """They are written as few operations where that is exact, and stay as they are where not."""
    function, expected = WRITTEN[name]
    recorder, _ = recorded(function, [X])
    assert [operation.function.__name__ for operation in recorder.operations] == expected
