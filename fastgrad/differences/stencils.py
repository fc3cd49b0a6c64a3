"""Difference formulas as values, derived from exact rationals.

Notation: J along one coordinate, step h, points x + o_s h, weights w_s with

    sum_s w_s o_s^k = [k == 1]   for k = 0 .. S-1,      J'(x) = sum_s w_s J(x + o_s h) / h + O(h^p)

Of all formulas on the given offsets this is the one of highest order p (Fornberg 1988, by solving the
Vandermonde system in rationals). Since sum w = 0 and the displacements d_s that floating point really
makes differ a little from o_s h, the derivative is taken as

    sum_s w_s (J_s - J_0) / sum_s w_s d_s

which is exact for a linear J whatever the d_s, and loses nothing to a large common offset of J, for
the differences J_s - J_0 of nearby values are exact (Sterbenz).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import lcm
from typing import Any

import numpy as np
import numpy.typing as npt

from fastgrad.errors import InputError

COMPLEX_STEP = 1e-30
"""The complex step: so small that h^2 vanishes, so that there is no truncation (1e-30 needs
no scaling; Squire and Trapp 1998 use 1e-20)."""


@dataclass(frozen=True)
class Stencil:
    """A difference formula for the first derivative on the points x + o_s h.

    Examples
    --------
    >>> CENTRAL4.weights
    (Fraction(1, 12), Fraction(-2, 3), Fraction(2, 3), Fraction(-1, 12))
    >>> CENTRAL4.order
    4
    """

    name: str
    offsets: tuple[int, ...]
    is_complex: bool = False

    @cached_property
    def weights(self) -> tuple[Fraction, ...]:
        """The weights w_s as exact rationals."""
        return (Fraction(1),) if self.is_complex else difference_weights(self.offsets)

    @cached_property
    def integer_weights(self) -> npt.NDArray[np.float64]:
        """The weights over their common denominator: whole numbers, exact as floats."""
        scale = lcm(*(w.denominator for w in self.weights))
        return np.array([float(w * scale) for w in self.weights])

    @cached_property
    def order(self) -> int:
        """The order p of the truncation error O(h^p); 2 for the complex step."""
        if self.is_complex:
            return 2
        k = 2
        while moment(self.offsets, self.weights, k) == 0:
            k += 1
        return k - 1

    @property
    def amplification(self) -> float:
        """The sum of |w_s|: how much an error of J weighs in the derivative, in units of 1/h."""
        return float(sum(abs(w) for w in self.weights))

    @property
    def evaluated(self) -> tuple[int, ...]:
        """The offsets that need an evaluation each; J at the parameters themselves is known."""
        return tuple(o for o in self.offsets if o != 0)

    def steps_to_offsets(self, steps: npt.NDArray[np.float64]) -> npt.NDArray[Any]:
        """The nominal displacements (m, s) of the evaluated points for steps (m,)."""
        if self.is_complex:
            return 1j * steps[:, None]
        found = np.empty((len(steps), len(self.evaluated)))
        for k, offset in enumerate(self.evaluated):  # along short rows NumPy takes ten times as long
            np.multiply(steps, float(offset), out=found[:, k])
        return found

    def derivative(
        self, values: npt.NDArray[Any], displacements: npt.NDArray[Any], at_parameters: float
    ) -> npt.NDArray[np.float64]:
        """The derivatives (m,) from J at the evaluated points (m, s) and J at the parameters."""
        if self.is_complex:
            return np.asarray(values[:, 0].imag / displacements[:, 0].imag, dtype=np.float64)
        w = self.integer_weights
        j, d = self._with_centre(values, at_parameters), self._with_centre(displacements, 0.0)
        with np.errstate(invalid="ignore", over="ignore"):
            numerator = _weighted_sum(w, j, j[:, 0])
        return numerator / _weighted_sum(w, d)

    def _with_centre(self, columns: npt.NDArray[Any], centre: float) -> npt.NDArray[Any]:
        if 0 not in self.offsets:
            return columns
        return np.insert(columns, self.offsets.index(0), centre, axis=1)


def difference_weights(offsets: Sequence[int]) -> tuple[Fraction, ...]:
    """The weights of the first derivative on the given offsets, solved in exact rationals.

    Examples
    --------
    >>> difference_weights((-1, 1))
    (Fraction(-1, 2), Fraction(1, 2))
    """
    size = len(offsets)
    rows = [[Fraction(o) ** k for o in offsets] + [Fraction(k == 1)] for k in range(size)]
    for i in range(size):
        pivot = next(r for r in range(i, size) if rows[r][i] != 0)
        rows[i], rows[pivot] = rows[pivot], rows[i]
        rows[i] = [entry / rows[i][i] for entry in rows[i]]
        for r in range(size):
            if r != i:
                rows[r] = [a - rows[r][i] * b for a, b in zip(rows[r], rows[i], strict=True)]
    return tuple(row[-1] for row in rows)


def moment(offsets: Sequence[int], weights: Sequence[Fraction], k: int) -> Fraction:
    """sum_s w_s o_s^k, exactly."""
    return sum((w * Fraction(o) ** k for o, w in zip(offsets, weights, strict=True)), Fraction(0))


def _weighted_sum(
    weights: npt.NDArray[np.float64],
    columns: npt.NDArray[np.float64],
    less: npt.NDArray[np.float64] | None = None,
) -> npt.NDArray[np.float64]:
    # Column by column, not `columns @ weights`: BLAS would round differently for other lengths, and a
    # coordinate's derivative must not depend on how many others are checked with it.
    total = np.zeros(len(columns))
    for weight, column in zip(weights, columns.T, strict=True):
        total += weight * (column if less is None else column - less)
    return total


FORWARD = Stencil("forward", (0, 1))
CENTRAL = Stencil("central", (-1, 1))
CENTRAL4 = Stencil("central4", (-2, -1, 1, 2))
CENTRAL6 = Stencil("central6", (-3, -2, -1, 1, 2, 3))
COMPLEX = Stencil("complex", (1,), is_complex=True)

STENCILS = {s.name: s for s in (FORWARD, CENTRAL, CENTRAL4, CENTRAL6, COMPLEX)}
"""The stencils by the names that `method=` takes."""


def find_stencil(method: str) -> Stencil:
    """The stencil of that name.

    Raises
    ------
    InputError
        For an unknown name; the message lists the known ones.
    """
    if not isinstance(method, str) or method not in STENCILS:
        raise InputError(f"unknown method {method!r}: the methods are {', '.join(STENCILS)}", code="FG409")
    return STENCILS[method]


FOUR_POINTS = np.array([-2.0, -1.0, 1.0, 2.0])
SIX_POINTS = np.array([-4.0, -2.0, -1.0, 1.0, 2.0, 4.0])


def stencil_dtype(stencil: Stencil) -> type[np.float64] | type[np.complex128]:
    """The dtype of displacements and values under a stencil."""
    return np.complex128 if stencil.is_complex else np.float64
