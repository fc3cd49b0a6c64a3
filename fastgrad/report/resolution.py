"""How far a check could see: to what share of itself each derivative is right, and why not further.

`report.build` makes it of the comparison, the headline and the JSON say it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fastgrad.coordinates.derivatives import Measured
from fastgrad.problem.parameters import Parameters
from fastgrad.report.findings import Arrays
from fastgrad.verdict.rule import COUNTS, NEGLIGIBLE, Comparison

NOISY = 2.0**-36
"""Noise of more than this share of the cost is what limits the resolution."""


@dataclass(frozen=True)
class Resolution:
    """To what the claim was seen to be right."""

    wanted: float
    """The share of itself to which each derivative was to be seen."""
    seen: float
    """The share to which the coordinates were seen that are large enough, and not wrong or undecided; NaN
    where there are none."""
    reason: str
    """Why not further; empty where it is better than what counts as an error."""
    small: int
    """Coordinates that are too small to be seen to a share of themselves, and are not claimed to be zero."""
    zero: int
    """Coordinates that are claimed to be zero, and are zero as far as can be seen."""
    together: float
    """To what share of the whole gradient the small ones that are judged together are right; 0 without
    any."""
    subgradients: int = 0
    """Coordinates at kinks, where the claim lies between the slopes on the two sides."""

    @classmethod
    def of(
        cls, arrays: Arrays, comparison: Comparison, wanted: float, found: Measured, cost: float
    ) -> Resolution:
        """From what was compared.

        Parameters
        ----------
        arrays : what is known of each coordinate
        comparison : the verdict on each
        wanted : the option resolution=
        found : what was measured, with the noise of the cost
        cost : the cost at the parameters
        """
        by_itself = np.flatnonzero(comparison.by_itself)
        seen, reason = float("nan"), ""
        if len(by_itself):
            worst = int(by_itself[np.argmax(comparison.rho[by_itself])])
            seen = float(comparison.rho[worst])
            if seen > COUNTS:
                reason = _why_not_further(arrays, worst, found, cost)
        zero = comparison.small & (arrays.claimed == 0)
        return cls(
            wanted,
            seen,
            reason,
            int((comparison.small & ~zero).sum()),
            int(zero.sum()),
            comparison.share,
            int(comparison.subgradient.sum()),
        )


def _why_not_further(arrays: Arrays, worst: int, found: Measured, cost: float) -> str:
    """What limits the resolution at the coordinate that was seen worst."""
    off, bound = abs(arrays.claimed[worst] - arrays.numeric[worst]), arrays.error_bound[worst]
    if off > bound:
        return f"the claim is off by {off:.1g} there, which its own rounding or less than {COUNTS:g} explains"
    noise = max((sigma for sigma in found.noise.values() if np.isfinite(sigma)), default=0.0)
    if found.single:
        return f"the cost is computed in float32 (noise {noise:.1g})"
    if noise > NOISY * abs(cost):
        return f"the cost has a noise of {noise:.1g}"
    return f"the cost bends, or has kinks, at the steps that its noise of {noise:.1g} allows"


def only_rounding(parameters: Parameters, arrays: Arrays) -> tuple[str, ...]:
    """The printed names of blocks whose gradient is not zero, but only rounding beside that of the others."""
    effects = np.zeros(len(parameters.blocks))
    for number, where in parameters.segments(arrays.indices):
        sizes = float(parameters.typical_sizes[number])
        with np.errstate(all="ignore"):
            g = np.abs(arrays.claimed[where])
        effects[number] = sizes * float(np.max(g, where=np.isfinite(g), initial=0.0))
    small = (effects > 0) & (effects <= NEGLIGIBLE * effects.max(initial=0.0))
    return tuple(block.shown for block, is_small in zip(parameters.blocks, small, strict=True) if is_small)
