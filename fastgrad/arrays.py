"""The array types, and small questions about one array or one number.

Every other room may import this one. It knows nothing of problems, blocks or engines.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from numbers import Integral, Real
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
IndexArray = npt.NDArray[np.intp]

FloatArray = npt.NDArray[np.floating[Any]]
"""float32 or float64, as the user's parameters and gradients are."""

Values = npt.NDArray[Any]
"""What engines take and return: float64, or complex128 for the complex step."""

Evaluate = Callable[[IndexArray, Floats], Floats]
"""evaluate(indices (m,), offsets (m, S)) -> (m, S): the cost at theta + offsets[k, s] * e_indices[k], less a
constant that the caller chose; NaN or infinite where the cost has no value."""

PIECE = 1 << 16
"""Elements of a large vector that are looked at together: temporaries take 512 KiB, whatever its size."""


def norm(values: Floats) -> float:
    """The Euclidean norm, where squares would leave the range too; NaN and inf as they come.

    Examples
    --------
    >>> norm(np.array([3e200, -4e200])) / 1e200, norm(np.zeros(0))
    (5.0, 0.0)
    """
    largest = float(np.max(np.abs(values), initial=0.0))
    if largest == 0 or not np.isfinite(largest):
        return largest
    return largest * float(np.linalg.norm(values / largest))


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
    """A flat leaf in pieces of PIECE elements: views, in order."""
    return (leaf[i : i + PIECE] for i in range(0, leaf.size, PIECE))


def is_finite_number(value: object) -> bool:
    """Whether an option's value is one finite real number, of Python's or NumPy's kind."""
    if isinstance(value, bool) or not isinstance(value, Real):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # a Python int beyond any float
        return False


def is_whole_number(value: object) -> bool:
    """Whether an option's value is an integer, of Python's or NumPy's kind."""
    return isinstance(value, Integral) and not isinstance(value, bool)


def plain_value(value: Any) -> Any:
    """A number, a bool or a text of NumPy's as Python's; anything else as it is.

    Examples
    --------
    >>> plain_value(np.uint8(50)), plain_value(np.bool_(True)), plain_value(np.array(1e-5)), plain_value([1])
    (50, True, 1e-05, [1])
    """
    alone = isinstance(value, np.generic) or (isinstance(value, np.ndarray) and value.ndim == 0)
    return value.item() if alone else value


def is_private_map(array: object) -> bool:
    """Whether an array's memory is a copy-on-write map: a worker would reopen it from its file."""
    while isinstance(array, np.ndarray):
        if isinstance(array, np.memmap) and array.mode == "c":
            return True
        array = array.base
    return False
