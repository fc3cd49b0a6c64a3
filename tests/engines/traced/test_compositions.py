"""Other functions written as few operations; `test_coverage_ufuncs` compares what they give."""

import numpy as np
import pytest
from tape_cases import recorded

X = np.arange(1.0, 7.0).reshape(2, 3)
WRITTEN = {
    "a square": (lambda x: x**2, ["square"]),
    "a cube": (lambda x: x**3, ["square", "multiply"]),
    "another power": (lambda x: x**2.5, ["power"]),
    "a root": (lambda x: x**0.5, ["sqrt"]),
    "select": (lambda x: np.select([x > 3], [x], 0.0), ["greater", "where"]),
    "transform of all axes": (lambda x: np.fft.fftn(x), ["fftn"]),
    "astype": (lambda x: np.astype(x, np.float32), ["cast"]),
    "filled": (lambda x: np.full_like(x, x[0, 0]), ["getitem", "assigned"]),
}


@pytest.mark.parametrize("name", WRITTEN)
def test_what_they_are_written_as(name):
    """They are written as operations with rules."""
    if name == "astype" and not hasattr(np, "astype"):
        pytest.skip("a newer function")
    function, expected = WRITTEN[name]
    recorder, _ = recorded(function, [X])
    assert [operation.function.__name__ for operation in recorder.operations] == expected


def test_functions_of_the_cost_leave_no_trace():
    """A function that the cost gives to NumPy is recorded as what it does: the tape holds none of it."""
    recorder, _ = recorded(lambda x: np.piecewise(x, [x > 3], [lambda z: z * 2, np.sin]), [X])
    functions = [operation.function for operation in recorder.operations]
    modules = {getattr(f, "__module__", "numpy").partition(".")[0] for f in functions}
    assert modules <= {"numpy", "fastgrad", "_operator"}
