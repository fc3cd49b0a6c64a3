"""The bounds of an optimiser's call: what they are, and functions that are never called outside of them.

Perturbed points beyond a bound have no value. Derivatives at a bound then come from the inside alone, and a
function that is defined only there is never asked elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from fastgrad.arrays import Bools, Floats, IndexArray
from fastgrad.errors import InputError
from fastgrad.problem.describe import describe
from fastgrad.problem.naming import copy_for_worker, name_like

_WORDS = "a scipy.optimize.Bounds"


@dataclass(frozen=True, eq=False)
class Box:
    """lower <= x <= upper, (n,) each; infinite where there is no bound.

    Examples
    --------
    >>> box = Box.of_minimize([(0, 1), (None, 2), (3, 3)], 3)
    >>> box.lower, box.is_bounded, box.free
    (array([  0., -inf,   3.]), True, array([0, 1]))
    """

    lower: Floats
    upper: Floats

    @classmethod
    def of_minimize(cls, bounds: Any, size: int) -> Box:
        """From the bounds= of scipy.optimize.minimize: n pairs (low, high), Bounds, or None.

        Raises
        ------
        InputError
            For anything else, another number of pairs, and bounds that leave no room.
        """
        if bounds is None:
            return cls(np.full(size, -np.inf), np.full(size, np.inf))
        if hasattr(bounds, "lb") and hasattr(bounds, "ub"):
            return cls._of(bounds.lb, bounds.ub, size)
        try:
            low, high = zip(*((pair[0], pair[1]) for pair in bounds if len(pair) == 2), strict=True)
        except Exception as error:
            raise InputError(
                f"bounds must be a pair (low, high) for each of the {size:,} entries of x0, or {_WORDS}; got "
                f"{describe(bounds)}",
                code="FG710",
            ) from error
        lower = [-np.inf if value is None else value for value in low]
        return cls._of(lower, [np.inf if value is None else value for value in high], size)

    @classmethod
    def of_least_squares(cls, bounds: Any, size: int) -> Box:
        """From the bounds= of scipy's least_squares: (low, high), a number or n of them each, or Bounds.

        Raises
        ------
        InputError
            As for `of_minimize`.
        """
        if hasattr(bounds, "lb") and hasattr(bounds, "ub"):
            return cls._of(bounds.lb, bounds.ub, size)
        if not (isinstance(bounds, tuple | list) and len(bounds) == 2):
            raise InputError(
                f"bounds must be a pair (low, high), or {_WORDS}; got {describe(bounds)}", code="FG710"
            )
        return cls._of(bounds[0], bounds[1], size)

    @classmethod
    def _of(cls, low: Any, high: Any, size: int) -> Box:
        try:
            lower, upper = (np.broadcast_to(np.asarray(v, float), (size,)) for v in (low, high))
        except Exception as error:
            raise InputError(
                f"bounds must have a number for each of the {size:,} entries of x0; got {describe(low)} and "
                f"{describe(high)}",
                code="FG710",
            ) from error
        wrong = ~(lower <= upper)
        if wrong.any():
            k = int(np.argmax(wrong))
            raise InputError(
                f"the bounds of x0[{k}] leave it no room: {lower[k]:g} to {upper[k]:g}", code="FG710"
            )
        return cls(lower, upper)

    @property
    def is_bounded(self) -> bool:
        """Whether there is any bound."""
        return bool(np.isfinite(self.lower).any() or np.isfinite(self.upper).any())

    @property
    def free(self) -> IndexArray:
        """The coordinates that the bounds do not fix."""
        return np.flatnonzero(self.lower < self.upper)

    @property
    def fixed(self) -> IndexArray:
        """The coordinates that have one value only."""
        return np.flatnonzero(self.lower == self.upper)

    def holds(self, x: npt.NDArray[Any]) -> bool:
        """Whether a point lies inside, or on a bound."""
        return bool(((x >= self.lower) & (x <= self.upper)).all())

    def touches(self, x: npt.NDArray[Any]) -> bool:
        """Whether a point lies on a bound."""
        return bool(((x == self.lower) | (x == self.upper)).any())

    def require_inside(self, x0: npt.NDArray[Any], names: tuple[Any, ...] | None) -> None:
        """Refuse a point outside, naming its first entry that is."""
        outside: Bools = (x0 < self.lower) | (x0 > self.upper)
        if outside.any():
            k = int(np.argmax(outside))
            label = repr(names[k]) if names is not None else str(k)
            raise InputError(
                f"x0 lies outside of its bounds: x0[{label}] = {x0[k]:g} is not between {self.lower[k]:g} "
                f"and {self.upper[k]:g}. Start inside, np.clip(x0, low, high) for instance",
                code="FG711",
            )


@dataclass(frozen=True, eq=False)
class Within:
    """A function that has no value outside of a box, where it is not called.

    Parameters
    ----------
    function : callable(x, *args) -> a number, or an array
    box : Box
    outside : what it gives there: NaN, in the shape of its values

    Examples
    --------
    >>> root = Within(np.sqrt, Box(np.zeros(1), np.full(1, np.inf)), np.array([np.nan]))
    >>> root(np.array([4.0])), root(np.array([-4.0]))
    (array([2.]), array([nan]))
    """

    function: Callable[..., Any]
    box: Box
    outside: Any

    def __post_init__(self) -> None:
        name_like(self, self.function)

    def __call__(self, x: Any, *args: Any) -> Any:
        """What the function gives at x; `outside` beyond a bound."""
        if not self.box.holds(x):
            return self.outside
        return self.function(x, *args)

    def for_worker(self) -> Within:
        """The same, with its own copy of a function that keeps state."""
        return replace(self, function=copy_for_worker(self.function))


def within(function: Callable[..., Any], box: Box, outside: Any) -> Callable[..., Any]:
    """The function inside of a box; as it is where there are no bounds, so that it can be recorded."""
    return Within(function, box, outside) if box.is_bounded else function
