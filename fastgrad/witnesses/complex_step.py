"""The complex step as a witness: derivatives near machine precision, where the cost carries complex numbers.

    dJ/dx_i = Im J(x + i h e_i) / h,    h = 1e-30: no difference is taken, so neither noise nor kinks count

np.abs, norms, casts and comparisons break it silently (docs/numerics.md, Step): it is believed only where

    every operation in the cost was seen to be analytic (analytic.py),
    the real part does not move, no warning of a cast comes, and what comes back is complex,
    along three random directions, all coordinates at once, it agrees with real differences,
    and so it does at decided coordinates of each block, within the bounds they have.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastgrad.arrays import Floats, IndexArray
from fastgrad.differences.bounds import by_complex_step, by_six_points
from fastgrad.differences.stencils import COMPLEX_STEP
from fastgrad.preflight.complex_step import COMPLEX_ULPS
from fastgrad.problem.parameters import Parameters
from fastgrad.witnesses.line import Line, dyadic_direction

DIRECTIONS = 3
"""Random directions along which the complex step must agree with differences (docs/numerics.md, Step)."""

THIRD_ORDER = 1e-45
"""Derivatives under this share of the cost are what the step of 1e-30 leaves of a third derivative, h^2 / 6
of it: none, as far as floating point goes."""

SPAN = 2.0**-12
"""Step of these differences in units of the blocks' typical sizes: of the fourth order, at six points."""

EACH = 4
"""Decided coordinates of each block at which it must agree."""


@dataclass(frozen=True, eq=False)
class Witness:
    """Derivatives by the complex step at some coordinates, or why it was not believed."""

    numeric: Floats
    error_bound: Floats
    doubt: str  # empty where it is believed
    evaluations: int


Derivatives = Callable[[IndexArray], tuple[Floats, Floats]]
"""derivatives(indices) -> those by the complex step, and the largest of any intermediate result."""


def by_complex_witness(
    derivatives: Derivatives,
    lines: list[Line],
    cost: float,
    known: IndexArray,
    d: Floats,
    e: Floats,
    wanted: IndexArray,
    *,
    sigma: float,
    z: float,
) -> Witness:
    """Ask for the derivatives at `wanted` coordinates, having cross-examined the witness.

    Parameters
    ----------
    derivatives : Derivatives
    lines : random directions
    cost : the real cost at the parameters
    known, d, e : (m,) decided coordinates, their derivatives and bounds
    wanted : (k,) flat indices
    sigma : the noise of the cost
    z : the quantile
    """
    nothing = np.full(len(wanted), np.nan), np.full(len(wanted), np.inf)
    with warnings.catch_warnings():
        warnings.simplefilter("error", np.exceptions.ComplexWarning)
        try:
            with np.errstate(all="ignore"):
                doubt = _along_lines(lines, cost, sigma, z) or _at_known(derivatives, known, d, e)
                if doubt:
                    return Witness(*nothing, doubt, 0)
                numeric, largest = derivatives(wanted)
        except Exception as error:  # a cost may do anything with a complex number
            return Witness(*nothing, f"complex parameters raise {type(error).__name__} in it", 0)
    numeric = np.where(np.abs(numeric) < THIRD_ORDER * abs(cost), 0.0, numeric)
    bound = by_complex_step(numeric, largest)
    told = np.isfinite(numeric)
    return Witness(
        np.where(told, numeric, np.nan), np.where(told, bound, np.inf), "", len(wanted) + len(known)
    )


def directions(problem: Any, parameters: Parameters, seed: int, vectorized: bool) -> list[Line]:
    """The random lines along which the witness is examined."""
    rng = np.random.default_rng(seed)
    return [
        Line(problem, parameters, dyadic_direction(parameters, rng), vectorized) for _ in range(DIRECTIONS)
    ]


def _along_lines(lines: list[Line], cost: float, sigma: float, z: float) -> str:
    offsets = SPAN * np.array([[-4.0, -2.0, -1.0, 1.0, 2.0, 4.0]])
    for line in lines:
        value = line.cost(1j * COMPLEX_STEP)
        if not isinstance(value, complex | np.complexfloating):
            return "it loses the imaginary part"
        if abs(value.real - cost) > COMPLEX_ULPS * np.spacing(abs(cost)):
            return "complex numbers take another branch in it"
        f = np.array([[float(line.cost(float(t))) for t in offsets[0]]])
        real, bound = by_six_points(f - cost, offsets, np.array([SPAN]), np.array([sigma]), z)
        if not abs(value.imag / COMPLEX_STEP - real[0]) <= bound[0]:
            return "along a random direction it does not agree with real differences"
    return ""


def _at_known(derivatives: Derivatives, known: IndexArray, d: Floats, e: Floats) -> str:
    if not len(known):
        return ""
    found, largest = derivatives(known)
    off = np.flatnonzero(~(np.abs(found - d) <= e + by_complex_step(found, largest)))
    return "at a decided coordinate it does not agree with real differences" if len(off) else ""


def some_of_each_block(parameters: Parameters, indices: IndexArray) -> IndexArray:
    """Positions of a few coordinates of each block, spread over it."""
    positions = [
        np.arange(len(indices))[where][:: max(1, len(indices[where]) // EACH)][:EACH]
        for _, where in parameters.segments(indices)
    ]
    return np.concatenate(positions) if positions else np.empty(0, dtype=np.intp)
