"""First looks at cost and gradient within a budget: those that can be left out are, where they take too much.

What no check can do without is one call of the gradient and two evaluations of the cost. All other calls of
the preflight ask `Looks` first. `Run` is the `Allowance`, which knows the budget.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Protocol

from fastgrad.engines.numbers import to_number
from fastgrad.errors import InputError


class Allowance(Protocol):
    """What first looks may take."""

    @property
    def seconds_left(self) -> float:
        """Seconds in which something may still be begun; inf without a budget."""

    def allows(self, seconds: float, evaluations: int) -> bool:
        """Whether a first look may be made that takes so long, and so many evaluations of the cost."""

    def spend(self, evaluations: int) -> None:
        """Count evaluations of the cost that were made."""

    def foresee(self, seconds: float) -> None:
        """Say so where one more evaluation, which cannot be left out, takes longer than is left."""


class _Anything:
    """The allowance of a check without a budget."""

    seconds_left = float("inf")

    def allows(self, seconds: float, evaluations: int) -> bool:
        del seconds, evaluations
        return True

    def spend(self, evaluations: int) -> None:
        del evaluations

    def foresee(self, seconds: float) -> None:
        del seconds


class Looks:
    """The first looks of one check.

    Parameters
    ----------
    allowance : Allowance; without one everything is looked at

    Examples
    --------
    >>> looks = Looks()
    >>> looks.call_cost_at_parameters(lambda x: x**2, 3.0)
    >>> looks.earlier, looks.room(seconds=60.0)
    (9.0, True)
    """

    def __init__(self, allowance: Allowance | None = None) -> None:
        self.allowance: Allowance = _Anything() if allowance is None else allowance
        self.earlier: float | None = None
        """What the cost gave at the parameters, if it was called there and gave a number."""
        self.seconds_of_cost = 0.0
        """What a call of the cost was seen to take at most."""

    def room(self, seconds: float, evaluations: int = 0) -> bool:
        """Whether a look may be made that takes so long, and so many evaluations of the cost."""
        return self.allowance.allows(seconds, evaluations)

    def room_for_cost(self) -> bool:
        """Whether the cost may be called once more than it must be."""
        return self.room(self.seconds_of_cost, 1)

    def call_cost(self, cost: Callable[..., Any], *given: Any) -> Any:
        """What the cost returns; counted and timed."""
        self.allowance.spend(1)
        began = time.perf_counter()
        try:
            value = cost(*given)
        finally:
            self.seconds_of_cost = max(self.seconds_of_cost, time.perf_counter() - began)
        return value

    def call_cost_at_parameters(self, cost: Callable[..., Any], *given: Any) -> None:
        """Call the cost, which any check does twice; what it gives is kept for the second time."""
        self.earlier = _as_number(self.call_cost(cost, *given))
        self.allowance.foresee(self.seconds_of_cost)


def _as_number(value: Any) -> float | None:
    try:
        return to_number(value)
    except InputError:  # what is wrong with it is said when the cost is examined
        return None
