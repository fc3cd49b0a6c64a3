"""F itself: with its outputs as a flat vector, and at moved parameters.

Notation: F = the function, x = its parameters (n numbers), y = F(x) its outputs (m numbers).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from fastgrad.arrays import Floats
from fastgrad.engines.numbers import DOMAIN_ERRORS
from fastgrad.errors import InputError
from fastgrad.problem.as_given import as_given
from fastgrad.problem.naming import copy_for_worker, name_like
from fastgrad.problem.parameters import Parameters
from fastgrad.vector.outputs import Function, Outputs


@dataclass(frozen=True, eq=False)
class FlatFunction:
    """F with its outputs as a flat vector (m,), called as F is.

    Parameters
    ----------
    function : F
    outputs : what F returns at the parameters

    Examples
    --------
    >>> function = lambda x: {"a": x, "b": x**2}
    >>> FlatFunction(function, Outputs.of(function(3.0)))(2.0)
    array([2., 4.])
    """

    function: Function
    outputs: Outputs

    def __post_init__(self) -> None:
        name_like(self, self.function)

    def __call__(self, params: Any, *args: Any) -> Floats:
        """F as (m,)."""
        return self.outputs.flat(self.function(params, *args))

    def for_worker(self) -> FlatFunction:
        """The same, with its own copy of a function that keeps state."""
        return replace(self, function=copy_for_worker(self.function))


@dataclass(frozen=True, eq=False)
class MovedFunction:
    """F at the parameters moved by (n,) displacements.

    Parameters
    ----------
    function : F
    parameters : x
    args : what F takes beside them
    outputs : F(x)
    """

    function: Function
    parameters: Parameters
    args: tuple[Any, ...]
    outputs: Outputs

    @cached_property
    def sizes(self) -> Floats:
        """(n,) the size of each parameter, as a power of two; that of its block where it is zero."""
        found = [
            np.where(leaf == 0, typical, np.abs(leaf, dtype=np.float64))
            for leaf, typical in zip(self.parameters.leaves, self.parameters.typical_sizes, strict=True)
        ]
        return np.asarray(2.0 ** np.rint(np.log2(np.concatenate(found))))

    @property
    def epsilon(self) -> float:
        """Machine epsilon of the coarsest dtype of parameters and outputs."""
        return max(self.outputs.epsilon, *(float(np.finfo(b.dtype).eps) for b in self.parameters.blocks))

    def __call__(self, by: Floats) -> Floats:
        """F (m,); NaN outside its domain."""
        moved = [
            (leaf + by[block.start : block.stop]).astype(block.dtype)
            for leaf, block in zip(self.parameters.leaves, self.parameters.blocks, strict=True)
        ]
        with np.errstate(all="ignore"):
            try:
                return self.outputs.flat(self._called(self.parameters.build_arrays(moved), *self.args))
            except DOMAIN_ERRORS as error:
                if isinstance(error, InputError):
                    raise
                return np.full(self.outputs.size, np.nan)

    @cached_property
    def _called(self) -> Function:
        return as_given(self.function, self.parameters)
