"""What the engines have in common: a private copy of the parameters, and twins for workers.

Each engine moves its private copy. It compares the copy with the user's parameters now and then, since a cost
that writes to its parameters would make every later value that of another point.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from fastgrad.arrays import Floats, IndexArray, Values
from fastgrad.engines.numbers import DOMAIN_ERRORS, DType
from fastgrad.engines.protocol import EvaluateAll
from fastgrad.engines.space import ParameterSpace, Space
from fastgrad.errors import InputError
from fastgrad.index_sets import spread_over
from fastgrad.problem.arguments import settled_arrays
from fastgrad.problem.describe import quoted
from fastgrad.problem.naming import copy_for_worker
from fastgrad.problem.parameters import Parameters
from fastgrad.problem.working_copy import WorkingCopy

ALL_WATCHED = 2**20
"""Up to this many parameters `pause` compares all of them with the user's. To compare them takes as long as
to copy them, which is too long for larger vectors."""

WATCHED = 2**16
"""The number of parameters that `pause` compares where there are more than ALL_WATCHED."""


@dataclass(eq=False, repr=False)
class EngineBase:
    """The parts of the Engine protocol that are the same in most engines.

    Parameters
    ----------
    cost : callable(params, *args), or what a subclass calls instead
    parameters : the user's parameters, or those of another space
    args : what the cost takes beside the parameters
    dtype : of the values
    """

    cost: Callable[..., Any]
    parameters: Parameters
    args: tuple[Any, ...] = ()
    dtype: DType = np.float64

    name = ""
    workers = "processes"
    incremental = False
    knows_layers = False
    moves_together = False
    overhead = 0.0
    granularity = 1
    origin = 0.0
    epsilon = 0.0
    preparation = ""
    points_of_baseline = 1
    quoted = ""

    def __post_init__(self) -> None:
        self.space: Space = ParameterSpace(self.parameters)
        self.args = settled_arrays(self.args)
        self.notes: tuple[str, ...] = ()
        self.raised: list[str] = []
        self._working: WorkingCopy | None = None

    def __getstate__(self) -> dict[str, Any]:
        """The engine without its private copy: a twin makes its own, or maps the parameters copy-on-write."""
        return self.__dict__ | {"_working": None}

    def for_worker(self) -> Self:
        """A twin with its own private copy of the parameters, and its own copy of a cost that keeps state."""
        twin = copy.copy(self)
        twin.cost = self._worker_cost()
        return twin

    def release(self) -> None:
        """Free the private copy of the parameters."""
        self._working = None

    def prepared(self, indices: IndexArray, offsets: Values, evaluate_all: EvaluateAll) -> Self:
        """The engine itself: coordinates have nothing in common."""
        del indices, offsets, evaluate_all
        return self

    def prices(self, indices: IndexArray) -> Floats | None:
        """None: all coordinates take the same work."""
        del indices
        return None

    def finish(self) -> None:
        """Refuse a cost that wrote to its parameters at a perturbed point."""
        if self._working is not None:
            require_unchanged(self._working)

    def pause(self) -> None:
        """Refuse such a cost between two calls of `values`; of many parameters this compares only some."""
        if self.parameters.size <= ALL_WATCHED:
            self.finish()
        elif self._working is not None:
            require_unchanged(self._working, spread_over(self.parameters.size, WATCHED))

    @property
    def working(self) -> WorkingCopy:
        """The private copy of the parameters, in complex numbers for the complex step."""
        if self._working is None:
            dtype = np.complex128 if self.dtype is np.complex128 else None
            self._working = WorkingCopy(self.parameters, dtype)
        return self._working

    def _left_domain(self, error: Exception) -> bool:
        """Whether an exception means that a point is outside the cost's domain; `quoted` then keeps it."""
        if isinstance(error, InputError) or not isinstance(error, DOMAIN_ERRORS):
            return False
        self.quoted = quoted(error)
        if not self.raised:
            self.raised.append(self.quoted)
        return True

    def _worker_cost(self) -> Callable[..., Any]:
        return copy_for_worker(self.cost)


def require_unchanged(working: WorkingCopy, some: IndexArray | None = None) -> None:
    """Refuse a cost that wrote to its parameters.

    Parameters
    ----------
    working : the private copy, which must equal the user's parameters
    some : flat indices to compare; None for all

    Raises
    ------
    InputError
        Naming the first coordinate or block that changed.
    """
    rebound = working.first_rebound()
    if rebound is not None:
        raise InputError(
            f"the cost changes its parameters: it replaced {rebound} in the structure it was given; "
            "work on a copy of it",
            code="FG205",
        )
    at = working.first_change(some)
    if at is not None:
        theirs = working.parameters.take(working.parameters.leaves, np.asarray([at]))[0]
        mine = working.parameters.take(working.flat_leaves, np.asarray([at]))[0]
        was, now = told_apart(theirs, mine)
        raise InputError(
            f"the cost changes its parameters: {working.parameters.label(at)} was {was} and is "
            f"{now} after one call; work on a copy (np.copy) inside the cost",
            code="FG205",
        )


def told_apart(a: float, b: float) -> tuple[str, str]:
    """Two numbers with six digits, or with as many more as it takes to see that they differ.

    Examples
    --------
    >>> told_apart(0.25, 3.5), told_apart(0.2327451, 0.2327452)
    (('0.25', '3.5'), ('0.2327451', '0.2327452'))
    """
    texts = ((f"{a:.{digits}g}", f"{b:.{digits}g}") for digits in range(6, 17))
    return next((pair for pair in texts if pair[0] != pair[1]), (repr(float(a)), repr(float(b))))
