"""The estimate of each derivative, and a bound on its error, from the values on its stencil.

The bound here is the interim one (the rule that uses it is stated once, in verdict.py): rounding is
taken from the size of the cost, truncation from the block's typical size; neither is measured yet.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fastgrad.engines.base import Values
from fastgrad.parameters import IndexArray, Parameters, root_mean_square
from fastgrad.spaces import Space
from fastgrad.steps import Plan, typical_size

ROUNDING = 32.0
"""Roundings of the cost allowed for, in units of eps |J|: about what summing a thousand terms one after
the other may add up to (sqrt(1000))."""

CURVATURE = 1e3
"""How much more curved the cost may be than at scale typ_b: (h/typ)^p |J'| is multiplied by this."""

COMPLEX_ROUNDING = 64.0
"""Error of the complex step, in eps of |J'| and of the block's rms (numerics, section 2.3)."""


@dataclass(frozen=True)
class Estimates:
    """The numerical derivatives, with a bound on the error of each; NaN where there is none."""

    numeric: npt.NDArray[np.float64]  # (m,)
    error_bound: npt.NDArray[np.float64]  # (m,)
    block_rms: npt.NDArray[np.float64]  # (blocks,) rms of the finite numeric derivatives
    in_doubles: bool = False
    """Known to float64's accuracy whatever the parameters' dtype, as by the complex step."""


def estimate(
    plan: Plan, values: Values, cost: float, parameters: Parameters, eps: float, origin: float = 0.0
) -> Estimates:
    """Derivatives and their error bounds from the values of a plan.

    Parameters
    ----------
    plan : Plan of m coordinates
    values : (m, S) the cost at the plan's points, counted from origin
    cost : the cost at the parameters
    parameters : Parameters
    eps : machine epsilon of the coarsest dtype among the parameters
    origin : what the engine's values are counted from
    """
    numeric = plan.stencil.derivative(values, plan.displacements, cost - origin)
    numeric[~np.isfinite(numeric)] = np.nan
    bound = np.empty(len(numeric))
    block_rms = np.zeros(len(parameters.blocks))
    for number, where in parameters.segments(plan.indices):
        d = numeric[where]
        rms = _finite_rms(d)
        block_rms[number] = rms
        if plan.stencil.is_complex:
            bound[where] = COMPLEX_ROUNDING * np.finfo(np.float64).eps * (np.abs(d) + rms)
            continue
        h, typ = plan.steps[where], typical_size(parameters.leaves[number])
        largest = np.maximum(np.abs(values[where] + origin).max(axis=1), abs(cost))
        rounding = ROUNDING * eps * largest * plan.stencil.amplification / h
        truncation = CURVATURE * (h / typ) ** plan.stencil.order * np.maximum(np.abs(d), rms)
        bound[where] = rounding + truncation
    return Estimates(numeric, bound, block_rms, plan.stencil.is_complex)


def carried(
    moved: Estimates, at: IndexArray, space: Space, parameters: Parameters, indices: IndexArray
) -> Estimates:
    """Estimates at the user's `indices`, from those of the coordinates `at` of the space that was moved."""
    numeric, bound = space.carry(indices, at, moved.numeric, moved.error_bound)
    if numeric is moved.numeric:
        return moved
    numeric = np.where(np.isfinite(numeric) & np.isfinite(bound), numeric, np.nan)
    rms = np.zeros(len(parameters.blocks))
    for number, where in parameters.segments(indices):
        rms[number] = _finite_rms(numeric[where])
    return Estimates(numeric, bound, rms, moved.in_doubles)


def coarsest_epsilon(parameters: Parameters) -> float:
    """Machine epsilon of the coarsest dtype: a cost of float32 parameters rounds in float32."""
    return max(float(np.finfo(leaf.dtype).eps) for leaf in parameters.leaves)


def _finite_rms(d: npt.NDArray[np.float64]) -> float:
    finite = d[np.isfinite(d)]
    return root_mean_square(finite)
