"""Products and norms written as others; `test_coverage_products` compares what they give."""

import numpy as np
import pytest
from tape_cases import recorded

X = np.arange(1.0, 7.0).reshape(2, 3)
WRITTEN = {
    "tensordot": (
        lambda x: np.tensordot(x, x, axes=(1, 1)),
        ["transpose", "reshape"] * 2 + ["dot", "reshape"],
    ),
    "outer": (
        lambda x: np.outer(x[0], x[1]),
        ["getitem", "getitem", "ravel", "getitem", "ravel", "getitem", "multiply"],
    ),
    "norm": (lambda x: np.linalg.norm(x), ["ravel", "dot", "sqrt"]),
    "norms of rows": (lambda x: np.linalg.norm(x, axis=1), ["multiply", "add.reduce", "sqrt"]),
    "a norm of a matrix": (lambda x: np.linalg.norm(x, 2), ["norm"]),
    "trace": (lambda x: np.trace(x), ["diagonal", "add.reduce"]),
    "matvec": (lambda x: np.matvec(x, np.ones(3)), ["matmul", "getitem"]),
    "dot with a number": (lambda x: np.dot(2.0, x), ["multiply"]),
}


@pytest.mark.parametrize("name", WRITTEN)
def test_what_they_are_written_as(name):
    """They are written as products of matrices and as sums, which have rules."""
    function, expected = WRITTEN[name]
    recorder, _ = recorded(function, [X])
    assert [operation.function.__name__ for operation in recorder.operations] == expected
