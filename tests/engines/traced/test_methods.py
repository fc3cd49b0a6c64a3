"""Methods of arrays: each gives what the method of a plain array gives."""

import numpy as np
import pytest
from tape_cases import compared

from fastgrad.engines.traced.methods import METHODS

ARGUMENTS = {
    "argpartition": (1,), "astype": (np.float32,), "choose": ([[1.0, 2.0], [3.0, 4.0]],), "clip": (0.0, 1.0),
    "compress": ([True, False],), "dot": (np.ones((3, 2)),), "fill": (2.0,), "partition": (1,),
    "put": ([0], [7.0]),
    "repeat": (2,), "reshape": (3, 2), "searchsorted": ([0.5, 1.5],), "swapaxes": (0, 1), "take": ([0, 4],),
}  # fmt: skip
IN_PLACE = ("sort", "partition", "fill", "put")


@pytest.mark.parametrize("name", METHODS)
def test_methods(name, rng):
    """A method gives what NumPy's gives, or writes what it writes."""

    def function(x):
        x = (
            (x[0, :2] > 0).astype(int)
            if name == "choose"
            else np.sort(x[0])
            if name == "searchsorted"
            else x.copy()
        )
        result = getattr(x, name)(*ARGUMENTS.get(name, ()))
        return x * 1.0 if name in IN_PLACE else result

    compared(function, rng.array(2, 3))


@pytest.mark.parametrize("name", sorted(set(METHODS) - set(IN_PLACE)))
def test_methods_are_those_of_arrays(name):
    """Each has the name of a method of an array."""
    assert callable(getattr(np.ndarray, name))


def test_casting_rules():
    """A cast that is not allowed raises what NumPy raises."""
    with pytest.raises(TypeError, match="Cannot cast array data"):
        compared(lambda x: x.astype(int, casting="safe"), np.ones(2))
