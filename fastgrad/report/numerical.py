"""A numerical gradient in the structure of the user's parameters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fastgrad.arrays import IndexArray, Values
from fastgrad.problem.parameters import Parameters


@dataclass(frozen=True, eq=False)
class NumericalGradient:
    """A numerical gradient: values and error bounds in the structure of the parameters.

    Examples
    --------
    >>> import fastgrad
    >>> found = fastgrad.numerical_gradient(lambda p: p["a"] ** 2, {"a": 3.0})
    >>> round(float(found.values["a"]), 6), bool(found.error_bound["a"] < 1e-6)
    (6.0, True)
    """

    values: Any
    error_bound: Any
    cost: float
    evaluations: int
    seconds: float
    engine: str
    method: str
    n_jobs: int
    notes: tuple[str, ...] = ()


def scatter(parameters: Parameters, indices: IndexArray, values: Values, unknown: float) -> Any:
    """Values at some coordinates in the structure of the parameters, `unknown` at the others."""
    flat: npt.NDArray[np.float64] = np.full(parameters.size, unknown)
    flat[indices] = values
    return parameters.build_arrays([flat[b.start : b.stop] for b in parameters.blocks])
