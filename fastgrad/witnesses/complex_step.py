"""The complex step as a witness: derivatives near machine precision.

    dJ/dx_i = Im J(x + i h e_i) / h,    h = 1e-30

No difference is taken, so neither noise nor kinks play a part. np.abs, norms, casts and comparisons break the
complex step silently (docs/numerics.md, Complex step). So it is believed only where

    every operation in the cost was seen to be analytic (`analytic_arrays.why_not_analytic`),
    the real part does not move, no cast to real numbers warns, and the cost returns a complex number,
    along random directions, with all coordinates moved at once, it agrees with real differences,
    and at decided coordinates of each block it agrees with real differences, within their bounds.

`strategy.ask_witnesses` asks the first, then calls `by_complex_witness` for the others. It gets derivatives
and bounds at the coordinates that differences left undecided.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

from fastgrad.arrays import Floats, IndexArray
from fastgrad.differences.bounds import by_complex_step, by_six_points
from fastgrad.differences.stencils import COMPLEX_STEP
from fastgrad.preflight.complex_step import COMPLEX_ULPS
from fastgrad.witnesses.analytic_arrays import complex_derivatives
from fastgrad.witnesses.functions import Functions
from fastgrad.witnesses.line import Line, random_lines

DIRECTIONS = 3
"""Random directions along which the complex step must agree with differences (docs/numerics.md, Complex
step)."""

OF_EACH_BLOCK = 4
"""Decided coordinates of each block at which the complex step must agree with differences."""

ZERO = 1e-45
"""A derivative below this share of the cost counts as zero. The step of 1e-30 leaves h^2 / 6 of a third
derivative, which is no larger."""

DIFFERENCE_STEP = 2.0**-12
"""The step of the differences along random directions, in units of the blocks' typical sizes. Six points give
the fourth order and a bound on the truncation error."""


@dataclass(frozen=True, eq=False)
class RealDifferences:
    """What real evaluations established, for the complex step to be compared with."""

    cost: float
    """The cost at the parameters."""
    sigma: float
    """The noise of the cost, as a standard deviation."""
    z: float
    """The quantile of bounds."""
    indices: IndexArray
    """(m,) some of the coordinates that differences decided, increasing."""
    numeric: Floats
    """(m,) the derivatives there."""
    error_bound: Floats
    """(m,) the bounds on their errors."""


@dataclass(frozen=True, eq=False)
class Answer:
    """Derivatives by the complex step, or why they are not believed."""

    numeric: Floats
    """(k,) NaN where unknown."""
    error_bound: Floats
    """(k,) inf where unknown."""
    doubt: str
    """Empty where the complex step is believed."""
    evaluations: int


def by_complex_witness(functions: Functions, found: RealDifferences, wanted: IndexArray, seed: int) -> Answer:
    """The derivatives at some coordinates by the complex step, if it agrees with real differences.

    Parameters
    ----------
    functions : Functions, whose cost was seen to be analytic
    found : RealDifferences
    wanted : (k,) flat indices
    seed : of the random directions
    """
    with warnings.catch_warnings():
        warnings.simplefilter("error", np.exceptions.ComplexWarning)
        try:
            with np.errstate(all="ignore"):
                lines = random_lines(functions, seed, DIRECTIONS)
                doubt = next((said for line in lines if (said := _doubt_along(line, found))), "")
                doubt = doubt or _doubt_at_decided(functions, found)
                if doubt:
                    return _not_believed(doubt, len(wanted))
                numeric, largest = complex_derivatives(functions, wanted, COMPLEX_STEP)
        except Exception as error:  # a cost may raise anything for complex numbers
            return _not_believed(f"complex parameters raise {type(error).__name__} in it", len(wanted))
    numeric = np.where(np.abs(numeric) < ZERO * abs(found.cost), 0.0, numeric)
    bound = by_complex_step(numeric, largest)
    known = np.isfinite(numeric)
    return Answer(
        np.where(known, numeric, np.nan),
        np.where(known, bound, np.inf),
        "",
        len(wanted) + len(found.indices),
    )


def _not_believed(doubt: str, count: int) -> Answer:
    return Answer(np.full(count, np.nan), np.full(count, np.inf), doubt, 0)


def _doubt_along(line: Line, found: RealDifferences) -> str:
    """What speaks against the complex step along one line; empty if nothing does."""
    value = line.cost(1j * COMPLEX_STEP)
    if not isinstance(value, complex | np.complexfloating):
        return "it loses the imaginary part"
    if abs(value.real - found.cost) > COMPLEX_ULPS * np.spacing(abs(found.cost)):
        return "complex numbers take another branch in it"
    offsets = DIFFERENCE_STEP * np.array([[-4.0, -2.0, -1.0, 1.0, 2.0, 4.0]])
    f = np.array([[float(line.cost(float(t))) for t in offsets[0]]])
    step, sigma = np.array([DIFFERENCE_STEP]), np.array([found.sigma])
    real, bound = by_six_points(f - found.cost, offsets, 0.0, step, sigma, found.z)
    if not abs(value.imag / COMPLEX_STEP - real[0]) <= bound[0]:
        return "along a random direction it does not agree with real differences"
    return ""


def _doubt_at_decided(functions: Functions, found: RealDifferences) -> str:
    """What speaks against the complex step at the decided coordinates; empty if nothing does."""
    if not len(found.indices):
        return ""
    numeric, largest = complex_derivatives(functions, found.indices, COMPLEX_STEP)
    allowed = found.error_bound + by_complex_step(numeric, largest)
    agrees = np.abs(numeric - found.numeric) <= allowed
    return "" if agrees.all() else "at a decided coordinate it does not agree with real differences"
