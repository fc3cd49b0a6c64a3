"""The estimate of each derivative, and a bound on its error, from the values on its stencil.

Notation: h = step, D(h) = the stencil's difference, p = its order, sigma = standard deviation of the noise of
a value, Z = the quantile at which all coordinates together are wrong with probability ALPHA at most.

    screen   c = D(h)                   e = Z sd sigma / h + T
    own      c = (4 D(h) - D(2h)) / 3   e = Z 0.95 sigma / h + 2 |D(h) - D(2h)| / 3 + U(h)
             or at a larger step        e = Z 0.95 sigma / h + |c(h) - c(2h)| / 3 + U(h) + U(2h)

T is measured on a few coordinates alike in scale, sd^2 the sum of the squares of the stencil's weights; own
are central differences of four values. A coordinate that neither decides goes to the step ladder (ladder.py).

U(h) is what kinks within 2h may do (`unevenness`). S(h) = f(h) - 2 f(0) + f(-h) is h^2 f'' for a smooth f, so
that S(2h) / 2h = 2 S(h) / h. A kink of slope jump J changes D(h) and that difference alike, by up to J / 2
and J; so do many small ones, that no other difference tells from a smooth curve. (docs/numerics.md, Bounds.)
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from fastgrad.arrays import Floats, Values
from fastgrad.differences.stencils import Stencil

ALPHA = 1e-3
"""The chance that noise alone pushes any one of all checked coordinates out of its bound."""

BOUNDS_OF_A_COORDINATE = 8
"""How many bounds of one coordinate are made at most: screen, own, finer, ladder, theirs again to confirm,
and two to spare."""

OWN_SD = 0.950
"""Standard deviation of the fourth-order central difference, in sigma / h (docs/numerics.md, Step)."""

HALF_DIFFERENCE_SD = 0.707
"""Standard deviation of half the difference of two values, in sigma."""

UNEVEN_NOISE = 8.4
"""What noise alone leaves of S(2h) / 2h - 2 S(h) / h, in sigma / h: twice its standard deviation of 4.2."""

COMPLEX_ROUNDING = 64.0
"""Error of the complex step, in eps of |J'| and of the block's rms (docs/numerics.md, Bounds)."""


@dataclass(frozen=True)
class Estimates:
    """The numerical derivatives with a bound on the error of each; NaN with a bound of inf where unknown."""

    numeric: Floats  # (m,)
    error_bound: Floats  # (m,)
    block_rms: Floats  # (blocks,) rms of the finite numeric derivatives
    in_doubles: bool = False
    """Known to float64's accuracy whatever the parameters' dtype, as by the complex step."""
    steepest: float = 0.0
    """The largest secant |J(x + d) - J(x)| / |d| seen: how much the cost moves at all near the parameters."""


def quantile(count: int) -> float:
    """Z: normal noise stays within Z sigma in all bounds of `count` coordinates but with chance ALPHA.

    Examples
    --------
    >>> round(quantile(1_000_000), 2)
    6.43
    """
    return -NormalDist().inv_cdf(ALPHA / (2 * count * BOUNDS_OF_A_COORDINATE))


def noise_of_difference(stencil: Stencil) -> float:
    """Standard deviation of a difference, in sigma / h."""
    return float(np.sqrt(sum(float(w) ** 2 for w in stencil.weights)))


def screened(
    stencil: Stencil,
    values: Values,
    displacements: Values,
    at_parameters: float,
    steps: Floats,
    sigma: Floats,
    truncation: Floats,
    z: float,
) -> tuple[Floats, Floats]:
    """D(h) and its bound for each coordinate, from sigma and truncation of its block.

    Parameters
    ----------
    stencil : Stencil
    values, displacements : (m, S)
    at_parameters : the cost there, counted from where values are
    steps, sigma, truncation : (m,)
    z : the quantile
    """
    numeric = stencil.derivative(values, displacements, at_parameters)
    with np.errstate(over="ignore"):
        bound = z * noise_of_difference(stencil) * sigma / steps + truncation
    return unknown_where_not_finite(numeric, bound)


def by_complex_step(numeric: Floats, beside: Floats) -> Floats:
    """The bound of a complex step: it has no truncation, and rounds like any product of numbers.

    Parameters
    ----------
    numeric : (m,) derivatives
    beside : (m,) how large the derivatives are that each was computed beside: the rms of its block, or where
        it was followed the largest of any intermediate result
    """
    return COMPLEX_ROUNDING * float(np.finfo(np.float64).eps) * (np.abs(numeric) + beside)


def unevenness(even: Floats, twice: Floats, steps: Floats, sigma: Floats) -> Floats:
    """U(h): |S(2h) / 2h - 2 S(h) / h|, less what noise leaves of it; 0 where it is not known.

    Parameters
    ----------
    even, twice : S(h) and S(2h), of any shape
    steps, sigma : h and the noise of a value, of the same shape

    Examples
    --------
    >>> h, kink = np.array([0.5]), 0.1
    >>> def s(h):
    ...     return 3 * h**2 + np.maximum(h - kink, 0)
    >>> bool(unevenness(s(h), s(2 * h), h, 0 * h)[0] > 0.5), float(unevenness(h**2, 4 * h**2, h, 0 * h)[0])
    (True, 0.0)
    """
    with np.errstate(all="ignore"):
        found = np.abs(twice / (2 * steps) - 2 * even / steps) - UNEVEN_NOISE * sigma / steps
    return np.where(np.isfinite(found), np.maximum(found, 0.0), 0.0)


def by_four_points(
    f: Floats, d: Floats, f0: float, steps: Floats, sigma: Floats, z: float
) -> tuple[Floats, Floats]:
    """The fourth-order central difference and its own bound.

    Parameters
    ----------
    f, d : (m, 4) values and actual displacements at -2h, -h, h, 2h
    f0 : the value at 0
    steps, sigma : (m,)
    z : the quantile
    """
    with np.errstate(all="ignore"):
        near, even = _odd_and_even(f[:, 1:3] - f0, d[:, 1:3])
        far, twice = _odd_and_even(f[:, ::3] - f0, d[:, ::3])
        # Smooth truncation is far less than a third of that. A kink 2h/3 away leaves no unevenness: c is
        # then off by J / 9, and D(h) - D(2h) is J / 6.
        bound = z * OWN_SD * sigma / steps + 2 / 3 * np.abs(near - far)
        bound += unevenness(even, twice, steps, sigma)
        return unknown_where_not_finite((4 * near - far) / 3, bound)


def _odd_and_even(g: Floats, d: Floats) -> tuple[Floats, Floats]:
    """D and S from the changes g (m, 2) before and after, at displacements d that may differ in size."""
    slope = (g[:, 1] - g[:, 0]) / (d[:, 1] - d[:, 0])
    return slope, g[:, 1] + g[:, 0] - slope * (d[:, 1] + d[:, 0])


def by_six_points(
    f: Floats, d: Floats, f0: float, steps: Floats, sigma: Floats, z: float, *, with_kinks: bool = True
) -> tuple[Floats, Floats]:
    """The fourth-order difference at a larger step, its truncation seen from the same at twice the step.

    Parameters
    ----------
    f, d : (m, 6) values and actual displacements at -4h, -2h, -h, h, 2h, 4h
    f0 : the value at 0
    steps, sigma : (m,)
    z : the quantile
    with_kinks : whether the bound holds what kinks within 4h may do; else other steps have to show them
    """
    with np.errstate(all="ignore"):
        (one, s), (two, s2), (four, s4) = (
            _odd_and_even(f[:, [k, 5 - k]] - f0, d[:, [k, 5 - k]]) for k in (2, 1, 0)
        )
        near, far = (4 * one - two) / 3, (4 * two - four) / 3
        # A fifteenth of their difference is the leading term of near's error: a third leaves room for the
        # others, and it is small at a step this side of the cost's own scale.
        bound = z * OWN_SD * sigma / steps + np.abs(near - far) / 3
        if with_kinks:
            bound += unevenness(s, s2, steps, sigma) + unevenness(s2, s4, 2 * steps, sigma)
        return unknown_where_not_finite(near, bound)


def unknown_where_not_finite(numeric: Floats, bound: Floats) -> tuple[Floats, Floats]:
    """NaN and inf for what is not known, whichever of the two is not finite."""
    known = np.isfinite(numeric) & np.isfinite(bound)
    if known.all():
        return numeric, bound
    return np.where(known, numeric, np.nan), np.where(known, bound, np.inf)
