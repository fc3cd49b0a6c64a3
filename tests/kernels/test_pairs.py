"""Half of a compiled pair is compiled too."""

from __future__ import annotations

import numba
import numpy as np
import pytest

from fastgrad.kernels.jit import is_jitted
from fastgrad.kernels.pairs import half_of_pair


@numba.njit
def both(x, scale):
    """A loss and its gradient."""
    return scale * np.sum(x * x), 2 * scale * x


@pytest.mark.parametrize("half", [0, 1])
def test_half(half):
    """Each half gives what the pair has there, with the data handed on, under the function's name."""
    x = np.array([1.0, 2.0])
    found = half_of_pair(both, half)
    assert np.array_equal(found(x, 3.0), both(x, 3.0)[half])
    assert found.__name__ == both.__name__
    assert is_jitted(found) == is_jitted(both)
