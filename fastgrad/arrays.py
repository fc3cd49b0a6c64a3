"""Array types, and what is asked of plain arrays and numbers everywhere.

Every other room may import this one. It knows nothing of problems, blocks or engines.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from numbers import Real
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[Any]
IndexArray = npt.NDArray[np.intp]

PIECE = 1 << 16  # elements looked at in one go, so that scans of a large vector need no large temporaries


def root_mean_square(leaf: FloatArray) -> float:
    """The root mean square of a flat leaf in float64, piece by piece (no large temporary)."""
    if leaf.size == 0:
        return 0.0
    largest = max(float(np.maximum(p.max(), -p.min())) + 0.0 for p in pieces(leaf))  # + 0.0: never -0.0
    if largest == 0 or not np.isfinite(largest):
        return largest
    total = 0.0
    for p in pieces(leaf):
        shrunk = p.astype(np.float64) / largest  # no square over- or underflows
        total += float(shrunk @ shrunk)
    return float(largest * np.sqrt(total / leaf.size))


def pieces(leaf: FloatArray) -> Iterator[FloatArray]:
    """A flat leaf in pieces small enough that temporaries of their size do not matter."""
    return (leaf[i : i + PIECE] for i in range(0, leaf.size, PIECE))


Values = npt.NDArray[Any]  # float64, or complex128 for the complex step

Evaluate = Callable[[IndexArray, Floats], Floats]
"""sample(indices (m,), offsets (m, S)) -> (m, S): the cost at theta + offsets[k, s] * e_indices[k], counted
from a constant of the caller's; NaN or infinite where it has no value."""


def is_finite_number(value: Any) -> bool:
    """Whether an option's value is one finite real number, of Python's or NumPy's kind."""
    if isinstance(value, bool) or not isinstance(value, Real):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # a Python int beyond any float
        return False


def is_private_map(array: Any) -> bool:
    """Whether an array's memory is a copy-on-write map: a worker would reopen it from its file."""
    while isinstance(array, np.ndarray):
        if isinstance(array, np.memmap) and array.mode == "c":
            return True
        array = array.base
    return False
