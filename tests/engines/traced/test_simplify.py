"""Python's sum over rows, as one operation."""

import numpy as np
import pytest

from fastgrad.engines.traced.recorder import record
from fastgrad.problem.parameters import Parameters


def names(cost, x):
    """The operations of a cost."""
    return [operation.function.__name__ for operation in record(cost, Parameters(x), ()).operations]


@pytest.mark.parametrize("shape", [(5,), (5, 2), (1, 3)])
def test_a_sum_of_rows_is_one_operation(shape, rng):
    """sum(rows) is one sum of NumPy's, with the same value."""
    x = rng.array(*shape)
    tape = record(lambda x: np.sum(sum(np.tanh(x))), Parameters(x), ())
    assert [o.function.__name__ for o in tape.operations][:2] == ["tanh", "add.reduce"]
    moved = x + 0.5
    assert tape.replay([moved]) == pytest.approx(np.sum(np.tanh(moved)), rel=1e-14)


def test_a_loop_that_adds_rows(rng):
    """So is a loop that adds row after row to 0."""

    def cost(x):
        total = 0.0
        for row in x:
            total = total + row
        return np.sum(total**2)

    assert names(cost, rng.array(4, 3)) == ["add.reduce", "square", "add.reduce"]


OTHERS = {
    "some of the rows": lambda x: sum(x[:3][k] for k in range(2)) + 0 * x[3],
    "in another order": lambda x: sum(x[k] for k in (1, 0, 2, 3)),
    "from another number": lambda x: sum(x, 1.0),
    "a row twice": lambda x: x[0] + x[0] + x[1] + x[2] + x[3],
    "small integers": lambda x: sum(x.astype(np.int8)).astype(float),
    "bools": lambda x: sum(x > 0).astype(float),
    "of single precision from a double": lambda x: sum(x.astype(np.float32), np.float64(0)),
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_sums_stay_as_they_are(name, rng):
    """What is not such a sum keeps its value at the parameters and at others."""
    x, cost = rng.array(4), OTHERS[name]
    tape = record(cost, Parameters(x), ())
    for point in (x, x * (1 + 2.0**-20)):
        assert tape.replay([point]) == pytest.approx(float(cost(point)), rel=1e-6)
        assert type(tape.replay([point])) is type(cost(point))
