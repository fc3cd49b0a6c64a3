"""What engines share: the private copy of the parameters, and seeing that the cost leaves it alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from fastgrad.arrays import IndexArray, Values
from fastgrad.engines.numbers import DOMAIN_ERRORS
from fastgrad.engines.protocol import Run
from fastgrad.engines.space import ParameterSpace, Space
from fastgrad.errors import InputError
from fastgrad.index_sets import spread_over
from fastgrad.problem.arguments import settled_arrays
from fastgrad.problem.parameters import Parameters
from fastgrad.problem.working_copy import WorkingCopy


class EngineBase:
    """The private copy of the parameters, made on first use and never pickled."""

    name = ""
    workers = "processes"
    incremental = False
    granularity = 1
    origin = 0.0
    epsilon = 0.0
    notes: tuple[str, ...] = ()
    preparation = ""
    points_of_baseline = 1
    quoted = ""

    def __init__(
        self,
        cost: Any,
        parameters: Parameters,
        args: tuple[Any, ...] = (),
        dtype: type[np.float64] | type[np.complex128] = np.float64,
    ) -> None:
        self.cost = cost
        self.parameters = parameters
        self.space: Space = ParameterSpace(parameters)
        self.args = settled_arrays(args)
        self.dtype = dtype
        self._working: WorkingCopy | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Leave the private copy behind: a worker makes its own, or maps it copy-on-write."""
        return self.__dict__ | {"_working": None}

    def release(self) -> None:
        """Give the private copy of the parameters back."""
        self._working = None

    def prepared(self, indices: IndexArray, offsets: Values, run: Run) -> Any:
        """Coordinates have nothing in common."""
        del indices, offsets, run
        return self

    def prices(self, indices: IndexArray) -> npt.NDArray[np.float64] | None:
        """All coordinates cost the same."""
        del indices
        return None

    def finish(self) -> None:
        """See that the cost left the parameters alone at perturbed points too."""
        if self._working is not None:
            require_unchanged(self._working)

    def pause(self) -> None:
        """The same between values; of very many parameters some are looked at: all take as long as a copy."""
        if self.parameters.size <= ALL_WATCHED:
            self.finish()
        elif self._working is not None:
            require_unchanged(self._working, spread_over(self.parameters.size, WATCHED))

    @property
    def working(self) -> WorkingCopy:
        """The private copy, in complex numbers for the complex step."""
        if self._working is None:
            dtype = np.complex128 if self.dtype is np.complex128 else None
            self._working = WorkingCopy(self.parameters, dtype)
        return self._working

    def _left_domain(self, error: Exception) -> bool:
        """Whether what the cost raised says that a point is outside its domain; it is quoted then."""
        if isinstance(error, InputError) or not isinstance(error, DOMAIN_ERRORS):
            return False
        self.quoted = f"{type(error).__name__}: {error}"
        return True

    def _worker_cost(self) -> Any:
        # A cost that keeps state (a network set and read through its methods) says how to copy itself.
        copy = getattr(self.cost, "for_worker", None)
        return copy() if callable(copy) else self.cost


ALL_WATCHED = 2**20
"""Parameters up to which all are compared with the user's whenever an engine rests."""

WATCHED = 2**16
"""How many are, of more."""


def require_unchanged(working: WorkingCopy, some: IndexArray | None = None) -> None:
    """Refuse a cost that wrote into its parameters: every later value would be of another point.

    Parameters
    ----------
    working : WorkingCopy
    some : flat indices that are looked at; None for all

    Raises
    ------
    InputError
        Naming the first coordinate or block that changed.
    """
    rebound = working.first_rebound()
    if rebound is not None:
        raise InputError(
            f"the cost changes its parameters: it replaced {rebound} in the structure it was given; "
            "work on a copy of it"
        )
    at = working.first_change(some)
    if at is not None:
        theirs = working.parameters.take(working.parameters.leaves, np.asarray([at]))[0]
        mine = working.parameters.take(working.flat_leaves, np.asarray([at]))[0]
        raise InputError(
            f"the cost changes its parameters: {working.parameters.label(at)} was {theirs:.6g} and is "
            f"{mine:.6g} after one call; work on a copy (np.copy) inside the cost"
        )
