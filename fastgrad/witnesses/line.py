"""The cost and the claimed gradient along a straight line through the parameters, x + t v.

Both witnesses make `random_lines`: the complex step is compared with differences along them, the path
integral integrates the claimed gradient along them.

v_i = s_b sign_i m_i / 8 with m_i in {4, ..., 12}, and s_b the typical size of the coordinate's block, as a
power of two. Then t v is exact if t is a power of two, and no coordinate is left out. Errors in two
coordinates may cancel along one line, but hardly along several (docs/numerics.md, Directions).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from fastgrad.arrays import Floats, Values
from fastgrad.engines.numbers import to_number
from fastgrad.problem.kinds.registry import to_array
from fastgrad.problem.parameters import Parameters
from fastgrad.problem.working_copy import WorkingCopy
from fastgrad.witnesses.functions import Functions


def dyadic_direction(parameters: Parameters, rng: np.random.Generator) -> list[Floats]:
    """A random direction v, a flat array for each block.

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


def random_lines(functions: Functions, seed: int, count: int) -> Iterator[Line]:
    """`count` lines in random directions, made one at a time: each takes a copy of the parameters."""
    rng = np.random.default_rng(seed)
    return (Line(functions, dyadic_direction(functions.parameters, rng)) for _ in range(count))


class Line:
    """The line x + t v.

    Parameters
    ----------
    functions : Functions
    direction : v, a flat array for each block
    """

    def __init__(self, functions: Functions, direction: list[Floats]) -> None:
        self.functions = functions
        self.parameters = functions.parameters
        self.direction = direction

    def cost(self, t: complex) -> Any:
        """The cost at x + t v. For a complex t the parameters are complex, and so should be the cost."""
        dtype = np.complex128 if isinstance(t, complex) else np.float64
        point = self._at(t, np.complex128 if isinstance(t, complex) else None)
        value = self.functions.cost(self.parameters.shaped(point))
        return to_array(value, "the cost")[0] if self.functions.vectorized else to_number(value, dtype)

    def rise(self, at: float, start: float, end: float) -> float:
        """The inner product of the claimed gradient at x + at v with the difference of two points.

        The difference is x(end) - x(start), of the points as floating point rounds them.
        """
        first, last = self._at(start), self._at(end)
        g = self.functions.gradient(self.parameters.shaped(self._at(at)))
        return float(
            sum(
                np.dot(np.asarray(slope, dtype=np.float64), b.astype(np.float64) - a.astype(np.float64))
                for slope, a, b in zip(g, first, last, strict=True)
            )
        )

    def _at(self, t: complex, dtype: type[np.complex128] | None = None) -> list[Values]:
        """The point x + t v, a flat array for each block."""
        leaves = WorkingCopy(self.parameters, dtype).flat_leaves
        for leaf, v in zip(leaves, self.direction, strict=True):
            leaf += (t * v).astype(leaf.dtype)
        return leaves
