"""Which functions of NumPy are written as others."""

import numpy as np
import pytest

from fastgrad.engines.traced.composed import COMPOSED, NEWER
from fastgrad.engines.traced.recorder import record
from fastgrad.problem.parameters import Parameters


@pytest.mark.parametrize("function", COMPOSED, ids=lambda f: f.__name__)
def test_they_are_numpys_own(function):
    """They are looked up by NumPy's own functions, and not by what stands in for these during a recording."""
    assert not hasattr(function, "_replaced_by_fastgrad")
    assert callable(COMPOSED[function])


def test_newer_functions():
    """Functions that this NumPy has are there."""
    assert all((getattr(np, name) in COMPOSED) for name in NEWER if hasattr(np, name))


def test_few_kinds_of_operations_remain():
    """A tape of them consists of sums, products and elementwise functions."""

    def cost(x):
        z = np.mean(x, axis=0) + np.std(x, axis=0) + np.linalg.norm(x, axis=0)
        z = z + np.ptp(x) + np.trace(x @ x.T)
        return np.sum(np.einsum("ij,j->i", x, z))

    tape = record(cost, Parameters(np.arange(6.0).reshape(2, 3)), ())
    kinds = {operation.function.__name__ for operation in tape.operations}
    assert kinds <= {
        "add.reduce", "maximum.reduce", "minimum.reduce", "divide", "subtract", "multiply", "sqrt", "add",
        "transpose", "matmul", "diagonal", "reshape",
    }  # fmt: skip
