"""What every engine does, and what they share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from fastgrad.arguments import settled_arrays
from fastgrad.errors import InputError
from fastgrad.ordered import spread_over
from fastgrad.parameters import IndexArray, Parameters, WorkingCopy, describe
from fastgrad.spaces import ParameterSpace, Space

Values = npt.NDArray[Any]  # float64, or complex128 for the complex step


DOMAIN_ERRORS = (ArithmeticError, ValueError, np.linalg.LinAlgError)
"""What a cost raises outside its domain (math domain error, a singular matrix): at a perturbed point the
value is then NaN, and the differences go another way. InputError, though a ValueError, is never one."""


Run = Callable[["Engine", IndexArray, Values], Values]
"""run(engine, indices, offsets): all values of a plan, on all workers."""


class Engine(Protocol):
    """One way of evaluating the cost at many perturbed points.

    An engine owns a private copy of the parameters, so one engine serves one worker at a time;
    `for_worker` makes a twin for another thread, pickling makes one for another process.
    """

    name: str
    parameters: Parameters
    """What is moved: the user's parameters, or those of `space`."""
    space: Space
    """How the user's derivatives follow from those of what is moved."""
    dtype: type[np.float64] | type[np.complex128]
    """The dtype of values: float64, or complex128 for the complex step."""
    workers: str
    """Where chunks run side by side: in "threads", in "processes", or nowhere ("one")."""
    origin: float
    """What values are counted from: 0, or the cost at the parameters for an engine that knows changes of
    the cost more exactly than the cost itself."""
    epsilon: float
    """Machine epsilon of what the cost returns, known after `baseline`: a float32 cost rounds in float32."""
    notes: tuple[str, ...]
    """What the report should say of how this engine came to be used."""
    preparation: str
    """What `baseline` may take seconds for, said to a waiting user; empty where it does not."""
    points_of_baseline: int
    """Evaluations that `baseline` makes."""
    quoted: str
    """What the cost last raised at a perturbed point, outside its domain; empty if it never did."""
    granularity: int
    """Chunks hold a multiple of so many coordinates, that results do not depend on where they are cut."""

    def baseline(self) -> float:
        """The cost at the parameters, having seen that it is one number and left them as they were."""

    def values(self, indices: IndexArray, offsets: Values) -> Values:
        """The cost at theta + offsets[k, s] * e_indices[k], for k < m and s < S, shape (m, S).

        Where the cost raises one of DOMAIN_ERRORS the value is NaN, and `quoted` says what was raised.
        """

    def prepared(self, indices: IndexArray, offsets: Values, run: Run) -> Engine:
        """The engine itself, or one that holds what the coordinates of a whole plan have in common.

        It is asked once, before the plan is cut into chunks; `run` evaluates on all workers.
        """

    def prices(self, indices: IndexArray) -> npt.NDArray[np.float64] | None:
        """What a coordinate's evaluations cost, relative to the others'; None where all cost the same."""

    def finish(self) -> None:
        """See, after the last values, that the cost left the parameters alone at perturbed points too."""

    def pause(self) -> None:
        """The same between values, where `finish` is still to come: of very many parameters some will do."""

    def for_worker(self) -> Engine:
        """A twin with parameters (and where it has state, a cost) of its own."""

    def release(self) -> None:
        """Give the private copy of the parameters back; the next evaluation makes a new one."""


class EngineBase:
    """The private copy of the parameters, made on first use and never pickled."""

    name = ""
    workers = "processes"
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


def to_number(value: Any, dtype: type[np.float64] | type[np.complex128] = np.float64) -> Any:
    """What a cost returned, as one float (one complex number for the complex step).

    Raises
    ------
    InputError
        For anything but one number: an array, None, a string, a complex; or, for the complex step, for
        a cost that lost the imaginary part.
    """
    if dtype is np.complex128:
        return _to_complex(value)
    if isinstance(value, complex | np.complexfloating):
        raise InputError(
            f"the cost must return one real number; got the complex {value:.6g}. Return its real part"
        )
    shape = getattr(value, "shape", ())
    if shape != () or isinstance(value, str | bytes | bool | np.bool_ | None | list | tuple | dict):
        raise InputError(_not_a_number(value, shape))
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        raise InputError(_not_a_number(value, shape)) from error


def epsilon_of(value: Any) -> float:
    """Machine epsilon of what a cost returned: float64's for a Python float."""
    dtype = getattr(value, "dtype", None)
    is_numpy = isinstance(dtype, np.dtype) and dtype.kind in "fc"
    return float(np.finfo(dtype if is_numpy else np.float64).eps)


def _to_complex(value: Any) -> complex:
    if np.shape(value) == () and np.iscomplexobj(value):
        return complex(value)
    raise InputError(
        'method="complex" needs a cost that carries complex numbers through; '
        f"this one returned {describe(value)}. It drops the imaginary part on the way: look for "
        'np.abs, .real, float(), astype(float) or a float buffer, or use method="central"'
    )


def _not_a_number(value: Any, shape: Any) -> str:
    advice = ""
    if shape and int(np.prod(shape)) == 1:
        advice = ". It holds one number: return it with .item()"
    elif shape:
        advice = ". Sum it or take its mean; for a cost of a batch (k, n) -> (k,), say vectorized=True"
    elif value is None:
        advice = ". Is a return missing?"
    return f"the cost must return one number; got {describe(value)}{advice}"
