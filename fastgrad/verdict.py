"""Estimate, bound and claim -> agree, disagree or undecided.

THE RULE, for coordinate i of block b (g = claimed, d = numeric, e = bound on the error of d):

    s_i = max(|g_i|, |d_i|, 0.1 * rms_b(d))
    |g_i - d_i| <= tau * s_i                          agrees
    |g_i - d_i| <= tau * s_i + e_i, e_i <= rho * S_i  agrees: e_i is small enough for a bug to show
    |g_i - d_i| <= tau * s_i + e_i, e_i >  rho * S_i  undecided: an error of that size would not show
    anything else                                     disagrees

with S_i = max(s_i, 0.1 * rms(d) over all blocks): a bias before a BatchNorm has a derivative of zero, and
differences that are small beside the whole gradient say so well enough.

A claimed NaN or inf disagrees; a coordinate without a finite d is undecided. tau says what size of error
counts as a bug. It never grows with the size of an array.

This rule is INTERIM: until noise and curvature are measured, e is a guess of both (bounds.py), and an
error that hides within e is not told from agreement.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fastgrad.bounds import Estimates
from fastgrad.errors import InputError
from fastgrad.parameters import IndexArray, Parameters, root_mean_square
from fastgrad.steps import is_finite_number

ByDtype = dict[np.dtype[Any], float]

TAU: ByDtype = {np.dtype(np.float64): 1e-6, np.dtype(np.float32): 1e-2}
"""The relative size of error that counts as a bug, by the block's dtype (numerics, section 3)."""

RHO: ByDtype = {np.dtype(np.float64): 1e-2, np.dtype(np.float32): 1e-1}
"""How large a share of the derivative its error bound may be for agreement within it to mean something."""

FLOOR = 0.1
"""Entries under this share of their block's rms are compared on that scale (numerics, section 3)."""

AGREE, DISAGREE, UNDECIDED = "agree", "disagree", "undecided"

RULE = "interim rule: |claimed - numeric| <= error bound + tau * max(|claimed|, |numeric|, 0.1 * block rms)"
RULE_TOLERANCE = "fixed tolerance: |claimed - numeric| <= {:g} * max(|claimed|, |numeric|, 0.1 * block rms)"


@dataclass(frozen=True)
class Comparison:
    """The verdict on each coordinate, and the difference that was allowed it."""

    wrong: npt.NDArray[np.bool_]  # (m,)
    undecided: npt.NDArray[np.bool_]  # (m,)
    allowed: npt.NDArray[np.float64]  # (m,)
    severity: npt.NDArray[np.float64]  # (m,) |claimed - numeric| / allowed; inf for a claimed NaN or inf
    rule: str

    @property
    def verdict(self) -> str:
        """The verdict over all coordinates: one wrong is enough, then one undecided."""
        return overall(int(self.wrong.sum()), int(self.undecided.sum()))


def overall(wrong: int, undecided: int) -> str:
    """The verdict on a set of coordinates from how many are wrong and undecided."""
    return DISAGREE if wrong else UNDECIDED if undecided else AGREE


def compare(
    claimed: npt.NDArray[np.float64],
    estimates: Estimates,
    indices: IndexArray,
    parameters: Parameters,
    tolerance: float | None = None,
) -> Comparison:
    """Apply the rule to each coordinate.

    Parameters
    ----------
    claimed : (m,) the gradient under test
    estimates : Estimates of the same m coordinates
    indices : (m,) the flat index of each
    parameters : Parameters
    tolerance : a fixed relative tolerance instead of the bounds
    """
    d, e = estimates.numeric, estimates.error_bound
    finite_claim = np.isfinite(claimed)
    g = np.where(finite_claim, claimed, 0.0)
    numbers = parameters.block_numbers(indices)
    scale = np.maximum(np.maximum(np.abs(g), np.abs(d)), FLOOR * estimates.block_rms[numbers])
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        difference = np.abs(g - d)
        if tolerance is None:
            bug = _by_block(TAU, estimates, parameters)[numbers] * scale
            allowed = e + bug
            typical = FLOOR * root_mean_square(d[np.isfinite(d)])
            visible = _by_block(RHO, estimates, parameters)[numbers] * np.maximum(scale, typical)
            blind = (difference > bug) & (e > visible)
        else:
            allowed = float(tolerance) * scale
            blind = np.zeros(len(d), dtype=bool)
        severity = np.where(difference == 0, 0.0, difference / allowed)
    severity[~finite_claim] = np.inf
    within = difference <= allowed
    undecided = finite_claim & (np.isnan(d) | (within & blind))
    wrong = ~finite_claim | (~undecided & ~within)
    rule = RULE if tolerance is None else RULE_TOLERANCE.format(tolerance)
    return Comparison(wrong, undecided, allowed, severity, rule)


def check_tolerance(tolerance: float | None) -> None:
    """Refuse a tolerance that is not a finite number >= 0, or None."""
    if tolerance is not None and not (is_finite_number(tolerance) and tolerance >= 0):
        raise InputError(f"tolerance must be a finite number >= 0, or None; got {tolerance!r}")


def relative_error(a: npt.NDArray[np.float64], b: npt.NDArray[np.float64]) -> float:
    """||a - b|| / ||a + b|| of two vectors: 0 when both are zero, inf when b = -a."""
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        return float("nan")
    scale = max(float(np.abs(a).max(initial=0.0)), float(np.abs(b).max(initial=0.0)))
    if scale == 0:
        return 0.0
    above = float(np.linalg.norm(a / scale - b / scale))
    below = float(np.linalg.norm(a / scale + b / scale))
    return above / below if below else float("inf")


def _by_block(by_dtype: ByDtype, estimates: Estimates, parameters: Parameters) -> npt.NDArray[np.float64]:
    """A constant of the rule for each block; some differences are float64's whatever the block's dtype."""
    double = np.dtype(np.float64)
    return np.array([by_dtype[double if estimates.in_doubles else b.dtype] for b in parameters.blocks])
