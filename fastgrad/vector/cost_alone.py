"""The slope of the cost along one direction, by differences, where there is no gradient.

    phi(x) = v . grad f(x) = sum_s c_s f(x + s h v) / h + O(h^6)        s = -3 ... 3 (central6)

Its gradient is H v. So a Hessian is checked by the cost alone as a gradient is, of the cost phi.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fastgrad.arrays import Floats
from fastgrad.differences.stencils import CENTRAL6
from fastgrad.engines.numbers import DOMAIN_ERRORS, to_number
from fastgrad.errors import InputError
from fastgrad.problem.naming import copy_for_worker, name_like
from fastgrad.problem.parameters import Parameters
from fastgrad.vector.outputs import in_structure

LEVELS = range(2, 15)
"""Steps h = 2^-level that are tried; v is in proportion to the parameters."""

STREAM = 0x686573
"""Keeps the random numbers apart from those of other choices ("hes")."""


@dataclass(frozen=True, eq=False)
class AlongDirection:
    """phi, a cost.

    Parameters
    ----------
    cost : callable(params, *args) -> float, f
    parameters : at which H is checked
    v : (n,) the direction
    h : the step
    """

    cost: Callable[..., Any]
    parameters: Parameters
    v: Floats
    h: float

    def __post_init__(self) -> None:
        name_like(self, self.cost)

    def __call__(self, params: Any, *args: Any) -> float:
        """phi(params)."""
        x = np.concatenate([np.reshape(leaf, -1) for leaf in self.parameters.match(params, "parameters")])
        values = [self._at(x + s * self.h * self.v, *args) for s in CENTRAL6.offsets]
        return float(np.dot([float(w) for w in CENTRAL6.weights], values) / self.h)

    def _at(self, x: Floats, *args: Any) -> float:
        return float(
            to_number(self.cost(in_structure(self.parameters.spec, self.parameters.blocks, x), *args))
        )

    def for_worker(self) -> AlongDirection:
        """The same, with its own copy of a cost that keeps state."""
        return replace(self, cost=copy_for_worker(self.cost))


def random_direction(sizes: Floats, seed: int) -> Floats:
    """(n,) v: random signs times 1 to 2 times the size of each parameter.

    Parameters
    ----------
    sizes : (n,)
    seed : of the random numbers
    """
    rng = np.random.default_rng([seed, STREAM])
    return np.asarray(sizes * rng.choice([-1.0, 1.0], len(sizes)) * rng.uniform(1.0, 2.0, len(sizes)))


def best_step(along: AlongDirection, params: Any, args: tuple[Any, ...]) -> float:
    """The step about which phi changes least: truncation and noise are then about equal.

    It evaluates the cost six times for each level.

    Parameters
    ----------
    along : of any step
    params, args : where phi is evaluated
    """
    steps = [2.0**-level for level in LEVELS]
    with np.errstate(all="ignore"):
        values = np.array([_at(along, step, params, args) for step in steps])
        change = np.abs(np.diff(values))
        around = change[:-1] + change[1:]
    around = np.where(np.isfinite(around), around, np.inf)
    return steps[int(np.argmin(around)) + 1]


def _at(along: AlongDirection, step: float, params: Any, args: tuple[Any, ...]) -> float:
    """phi by one step; NaN outside the cost's domain."""
    try:
        return replace(along, h=step)(params, *args)
    except DOMAIN_ERRORS as error:
        if isinstance(error, InputError):
            raise
        return float("nan")
