"""A cost and its gradient along a straight line through the parameters, x + t v.

v_i = s_b sign_i m_i / 8 with m_i in {4, ..., 12}, s_b the typical size of the coordinate's block as a power
of two: t v is then exact for a power of two t, no coordinate is left out, and none cancels another for
certain (docs/numerics.md, Directions).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fastgrad.arrays import Floats
from fastgrad.engines.numbers import to_number
from fastgrad.problem.parameters import Parameters
from fastgrad.problem.problem import Problem
from fastgrad.problem.working_copy import WorkingCopy


def dyadic_direction(parameters: Parameters, rng: np.random.Generator) -> list[Floats]:
    """A random direction, one flat array for each block.

    Examples
    --------
    >>> p = Parameters({"W": np.full(3, 0.3), "b": np.zeros(2)})
    >>> v = dyadic_direction(p, np.random.default_rng(0))
    >>> [bool((np.abs(block) >= s / 2).all()) for block, s in zip(v, (0.25, 1.0))]
    [True, True]
    """
    direction = []
    for leaf, typical in zip(parameters.leaves, parameters.typical_sizes, strict=True):
        size = 2.0 ** np.floor(np.log2(typical))
        magnitude = rng.integers(4, 13, leaf.size) / 8
        direction.append(size * magnitude * rng.choice([-1.0, 1.0], leaf.size))
    return direction


class Line:
    """The cost and the gradient of a problem at x + t v.

    Parameters
    ----------
    problem : Problem
    parameters : Parameters
    direction : v, a flat array for each block
    vectorized : whether the cost takes a batch: it is given one of a single point
    """

    def __init__(
        self, problem: Problem, parameters: Parameters, direction: list[Floats], vectorized: bool = False
    ) -> None:
        self.problem = problem
        self.parameters = parameters
        self.direction = direction
        self.vectorized = vectorized

    def cost(self, t: complex) -> Any:
        """The cost at x + t v, complex where t is."""
        working = WorkingCopy(self.parameters, np.complex128 if isinstance(t, complex) else None)
        self._move(working, t)
        if not self.vectorized:
            return to_number(
                self._call(working.structure), np.complex128 if isinstance(t, complex) else np.float64
            )
        batch = self.parameters.build([leaf[None] for leaf in self.parameters.shaped(working.flat_leaves)])
        return self._call(batch)[0]

    def rise(self, at: float, start: float, end: float) -> float:
        """g(x + at v) . (x(end) - x(start)), with the points that floating point makes of them."""
        middle, first, last = (WorkingCopy(self.parameters) for _ in range(3))
        for working, t in ((middle, at), (first, start), (last, end)):
            self._move(working, t)
        g = self.parameters.match(self.problem.gradient(middle.structure, *self.problem.args), "gradient")
        return float(
            sum(
                np.dot(np.asarray(slope, dtype=np.float64), b.astype(np.float64) - a.astype(np.float64))
                for slope, a, b in zip(g, first.flat_leaves, last.flat_leaves, strict=True)
            )
        )

    def _call(self, structure: Any) -> Any:
        return self.problem.cost(structure, *self.problem.args)

    def _move(self, working: WorkingCopy, t: complex) -> None:
        for leaf, v in zip(working.flat_leaves, self.direction, strict=True):
            leaf += (t * v).astype(leaf.dtype)
