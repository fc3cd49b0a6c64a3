"""Estimate, bound and claim -> agree, disagree or undecided.

THE RULE, for coordinate i of block b (g = claimed, d = numeric, e = bound on the error of d):

    s_i = max(|g_i|, |d_i|, 0.1 * rms_b(d))
    |g_i - d_i| + e_i <= tau * s_i      agrees:    whatever the truth within the bound, the error is no bug
    |g_i - d_i| - e_i >  tau * s_i      disagrees: whatever the truth within the bound, the error is one
    anything else                       undecided

Where nothing has a scale (a constant cost, a claim of zero) being within the bound is enough.

tau says what size of error counts as a bug, e what the differences can resolve; the two are never mixed
(docs/numerics.md, Verdict), and neither grows with the size of an array. With e = 0 this is
allclose(rtol=tau).

A block whose derivatives cannot be told from zero has no scale of its own: s is then that of the whole
gradient, and where nothing can be told from zero, how much the cost moves near the parameters at all. The
same goes for a block that is zero but for rounding (a bias before a batch norm): moved by their own size, its
parameters change the cost by less than rounding of what the others do. A claimed NaN or inf disagrees; a
coordinate without a finite d is undecided.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fastgrad.arrays import Bools, Floats, IndexArray, root_mean_square
from fastgrad.differences.bounds import Estimates
from fastgrad.problem.parameters import Parameters

ByDtype = dict[np.dtype[Any], float]

TAU: ByDtype = {np.dtype(np.float64): 1e-6, np.dtype(np.float32): 1e-2}
"""The relative size of error that counts as a bug, by the block's dtype (docs/numerics.md, Verdict)."""

FLOOR = 0.1
"""Entries under this share of their block's rms are compared on that scale (docs/numerics.md, Verdict)."""

NEGLIGIBLE = 2.0**-44
"""A block that does so much less than the most important one is zero but for rounding, 256 eps."""

PIECE = 2**17
"""Coordinates that are judged at a time, so that temporaries stay small (and in the cache)."""

AGREE, DISAGREE, UNDECIDED = "agree", "disagree", "undecided"

SCALE = "max(|claimed|, |numeric|, 0.1 * block rms)"
RULE = f"agrees if |claimed - numeric| + bound <= allowed = tau * {SCALE}, tau = {{}}"
RULE_TOLERANCE = f"agrees by a fixed tolerance if |claimed - numeric| <= {{:g}} * {SCALE}"


@dataclass(frozen=True)
class Comparison:
    """The verdict on each coordinate, and the difference that was allowed it."""

    wrong: npt.NDArray[np.bool_]  # (m,)
    undecided: npt.NDArray[np.bool_]  # (m,)
    allowed: Floats  # (m,)
    severity: Floats  # (m,) |claimed - numeric| / allowed; inf for a claimed NaN or inf
    rule: str

    @property
    def verdict(self) -> str:
        """The verdict over all coordinates: one wrong is enough, then one undecided."""
        return overall(int(self.wrong.sum()), int(self.undecided.sum()))


def overall(wrong: int, undecided: int) -> str:
    """The verdict on a set of coordinates from how many are wrong and undecided."""
    return DISAGREE if wrong else UNDECIDED if undecided else AGREE


def compare(
    claimed: Floats,
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
    tau, lent = _by_block(TAU, estimates, parameters), np.zeros(len(parameters.blocks))
    rule = RULE.format(_in_words(np.unique(tau)))
    if tolerance is None:
        lent = _lent_scale(estimates, indices, parameters)
    else:
        tau, rule = np.full_like(tau, tolerance), RULE_TOLERANCE.format(tolerance)
    m = len(indices)
    wrong, undecided = np.empty(m, dtype=bool), np.empty(m, dtype=bool)
    allowed, severity = np.empty(m), np.empty(m)
    for k in range(0, m, PIECE):
        piece = slice(k, k + PIECE)
        numbers = parameters.block_numbers(indices[piece])
        e = estimates.error_bound[piece] if tolerance is None else np.zeros(1)
        found = _judge(
            claimed[piece],
            estimates.numeric[piece],
            e,
            np.maximum(FLOOR * estimates.block_rms, lent)[numbers],
            tau[numbers],
        )
        wrong[piece], undecided[piece], allowed[piece], severity[piece] = found
    return Comparison(wrong, undecided, allowed, severity, rule)


def _judge(
    claimed: Floats, d: Floats, e: Floats, least_scale: Floats, tau: Floats
) -> tuple[Bools, Bools, Floats, Floats]:
    """Wrong, undecided, the allowed difference and the severity of each coordinate."""
    finite_claim = np.isfinite(claimed)
    all_finite = bool(finite_claim.all())
    g = claimed if all_finite else np.where(finite_claim, claimed, 0.0)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        allowed = np.abs(g)  # the scale, at first
        np.maximum(allowed, np.abs(d), out=allowed)
        np.maximum(allowed, least_scale, out=allowed)
        allowed *= tau
        difference = g - d
        np.abs(difference, out=difference)
        wrong, undecided = difference - e > allowed, ~(difference + e <= allowed)
        undecided &= ~((allowed == 0) & (difference <= e))  # a cost that does not move at all
        severity = difference / allowed
        severity[difference == 0] = 0.0
    if not all_finite:
        severity[~finite_claim] = np.inf
        wrong |= ~finite_claim
    undecided &= ~wrong
    return wrong, undecided, allowed, severity


def _lent_scale(estimates: Estimates, indices: IndexArray, parameters: Parameters) -> Floats:
    """For blocks that cannot be told from zero the scale of the whole gradient, for the others 0."""
    size = np.abs(estimates.numeric)
    resolved = size > estimates.error_bound  # not where the numeric derivative is NaN
    segments = list(parameters.segments(indices))
    largest = np.zeros(len(parameters.blocks))
    for number, where in segments:
        largest[number] = size[where].max(initial=0.0, where=resolved[where])
    if min(largest[number] for number, _ in segments) < NEGLIGIBLE * largest.max():
        effect = largest * parameters.typical_sizes
        largest[effect <= NEGLIGIBLE * effect.max()] = 0.0
    if all(largest[number] > 0 for number, _ in segments):
        return np.zeros(len(largest))
    lent = root_mean_square(size[resolved]) if resolved.any() else estimates.steepest
    return np.where(largest > 0, 0.0, lent)


def _by_block(by_dtype: ByDtype, estimates: Estimates, parameters: Parameters) -> Floats:
    """A constant of the rule for each block; some differences are float64's whatever the block's dtype."""
    double = np.dtype(np.float64)
    return np.array([by_dtype[double if estimates.in_doubles else b.dtype] for b in parameters.blocks])


def _in_words(values: Floats) -> str:
    return " and ".join(f"{v:g}" for v in values) + (" by the block's dtype" if len(values) > 1 else "")
