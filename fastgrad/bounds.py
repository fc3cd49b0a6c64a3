"""The estimate of each derivative, and a bound on its error, from the values on its stencil.

Notation: h = step, D(h) = the stencil's difference, p = its order, sigma = standard deviation of the noise of
a value, Z = the quantile at which all coordinates together are wrong with probability ALPHA at most.

    screen   c = D(h)                   e = Z sd sigma / h + T
    own      c = (4 D(h) - D(2h)) / 3   e = Z 0.95 sigma / h + |D(h) - D(2h)| / 3
             or at a larger step        e = Z 0.95 sigma / h + |c(h) - c(2h)| / 3

T is measured on a few coordinates of the block, sd^2 the sum of the squares of the stencil's weights; own are
central differences of four values. A coordinate that neither decides goes to the step
ladder (ladder.py). (Numerics, section 2.)
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from fastgrad.engines.base import Values
from fastgrad.parameters import IndexArray, Parameters, root_mean_square
from fastgrad.spaces import Space
from fastgrad.stencils import Stencil

Floats = npt.NDArray[np.float64]

ALPHA = 1e-3
"""The chance that noise alone pushes any one of all checked coordinates out of its bound."""

LOOKS = 8
"""How many bounds of one coordinate are looked at: screen, own, finer, ladder, theirs again to confirm, and
two to spare."""

OWN_SD = 0.950
"""Standard deviation of the fourth-order central difference, in sigma / h (numerics, section 1)."""

KINKED = 3.0
"""S(2h) / S(h) is 4 where a cost is smooth and 2 across a kink at the point (numerics, section 4)."""

COMPLEX_ROUNDING = 64.0
"""Error of the complex step, in eps of |J'| and of the block's rms (numerics, section 2.3)."""


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
    """Z: normal noise stays within Z sigma in all looks at `count` coordinates but with chance ALPHA.

    Examples
    --------
    >>> round(quantile(1_000_000), 2)
    6.43
    """
    return -NormalDist().inv_cdf(ALPHA / (2 * count * LOOKS))


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


def by_four_points(f: Floats, d: Floats, steps: Floats, sigma: Floats, z: float) -> tuple[Floats, Floats]:
    """The fourth-order central difference and its own bound.

    Parameters
    ----------
    f, d : (m, 4) values and actual displacements at -2h, -h, h, 2h
    steps, sigma : (m,)
    z : the quantile
    """
    with np.errstate(all="ignore"):
        near = (f[:, 2] - f[:, 1]) / (d[:, 2] - d[:, 1])
        far = (f[:, 3] - f[:, 0]) / (d[:, 3] - d[:, 0])
        bound = z * OWN_SD * sigma / steps + np.abs(near - far) / 3
        return unknown_where_not_finite((4 * near - far) / 3, bound)


def has_kink_at_four_points(g: Floats, sigma: Floats, z: float) -> npt.NDArray[np.bool_]:
    """Whether S(h) = g(h) + g(-h) stands out from noise and does not shrink to a quarter of S(2h).

    Parameters
    ----------
    g : (m, 4) values at -2h, -h, h, 2h minus that at the parameters
    sigma : (m,)
    z : the quantile
    """
    with np.errstate(invalid="ignore"):
        near, far = np.abs(g[:, 1] + g[:, 2]), np.abs(g[:, 0] + g[:, 3])
        return np.asarray((near > z * 2.45 * sigma) & (far < KINKED * near))


def by_six_points(f: Floats, d: Floats, steps: Floats, sigma: Floats, z: float) -> tuple[Floats, Floats]:
    """The fourth-order difference at a larger step, its truncation seen from the same at twice the step.

    Parameters
    ----------
    f, d : (m, 6) values and actual displacements at -4h, -2h, -h, h, 2h, 4h
    steps, sigma : (m,)
    z : the quantile
    """
    with np.errstate(all="ignore"):
        one, two, four = ((f[:, 5 - k] - f[:, k]) / (d[:, 5 - k] - d[:, k]) for k in (2, 1, 0))
        near, far = (4 * one - two) / 3, (4 * two - four) / 3
        # A fifteenth of their difference is the leading term of near's error (numerics, section 2.2): a third
        # leaves room for the others, and it is small at a step this side of the cost's own scale.
        bound = z * OWN_SD * sigma / steps + np.abs(near - far) / 3
        return unknown_where_not_finite(near, bound)


def unknown_where_not_finite(numeric: Floats, bound: Floats) -> tuple[Floats, Floats]:
    """NaN and inf for what is not known, whichever of the two is not finite."""
    known = np.isfinite(numeric) & np.isfinite(bound)
    if known.all():
        return numeric, bound
    return np.where(known, numeric, np.nan), np.where(known, bound, np.inf)


def carried(
    numeric: Floats, bound: Floats, at: IndexArray, space: Space, parameters: Parameters, indices: IndexArray
) -> tuple[Floats, Floats, Floats]:
    """Estimates and bounds at the user's `indices`, and the rms of each of their blocks.

    numeric and bound are those of the coordinates `at` of the space that was moved.
    """
    if space.is_plain:
        numeric, bound = numeric.copy(), bound.copy()  # what is measured later is written where they are
    numeric, bound = unknown_where_not_finite(*space.carry(indices, at, numeric, bound))
    rms = np.zeros(len(parameters.blocks))
    for number, where in parameters.segments(indices):
        d = numeric[where]
        finite = np.isfinite(d)
        rms[number] = root_mean_square(d if finite.all() else d[finite])
    return numeric, bound, rms


def coarsest_epsilon(parameters: Parameters) -> float:
    """Machine epsilon of the coarsest dtype: a cost of float32 parameters rounds in float32."""
    return max(float(np.finfo(leaf.dtype).eps) for leaf in parameters.leaves)
