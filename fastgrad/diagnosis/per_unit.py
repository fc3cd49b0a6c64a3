"""Detector of a factor for each column or row of a matrix: an activation derivative at the wrong place.

Notation: as in evidence.py; f'(z_j) = the derivative of unit j's activation. With one example the gradient of
a layer is the outer product of its inputs and its deltas. A wrong f'(z_j) is then a factor c_j on all entries
of unit j: d = c_j g, or d = c_j g + b_j x if an L2 term is right in the claimed gradient. With several
examples the factor differs between them, and this detector finds nothing.
"""

from __future__ import annotations

import numpy as np

from fastgrad.arrays import IndexArray
from fastgrad.diagnosis.evidence import SPARE, Evidence, Explanation
from fastgrad.diagnosis.fits import grouped_slopes

SHARE_OF_UNITS = 0.5
"""The smallest share of units that must be wrong. If only a few units are wrong, their place says more."""


def per_unit(block: Evidence) -> Explanation | None:
    """Each column, or each row, has its own factor."""
    is_complex = block.form is not None and block.form.is_complex  # its last axis holds the two parts
    if len(block.shape) != 2 or is_complex or not block.explicable:
        return None
    index = np.unravel_index(block.inside[block.known], block.shape)
    for axis, unit in ((1, "column"), (0, "row")):
        for l2 in (False, True):
            factors = _factors(block, np.asarray(index[axis]), l2)
            if factors is not None:
                low, high = factors
                beside = " beside an L2 term" if l2 else ""
                return Explanation(
                    "per unit",
                    f"each {unit} has its own factor claimed / numeric, from {low:.4g} to {high:.4g}"
                    f"{beside}: look at the derivative of an activation, missing or taken at z instead of a "
                    "(a batch of one shows it)",
                )
    return None


def _factors(block: Evidence, groups: IndexArray, l2: bool) -> tuple[float, float] | None:
    """The smallest and the largest factor g / d of the groups, if a factor for each explains the block.

    Parameters
    ----------
    block : Evidence
    groups : (m,) the unit of each known entry
    l2 : whether an L2 term is fitted too
    """
    facts = block.facts
    regressors = (facts.g, facts.x) if l2 else (facts.g,)
    used, groups = np.unique(groups, return_inverse=True)
    c = grouped_slopes(regressors, facts.d, facts.t, groups)
    if c is None or len(used) < 2:
        return None
    c = np.where(np.isfinite(c), c, 0.0)
    H = sum(c[i, groups] * r for i, r in enumerate(regressors))
    numbers = c.size
    if not facts.explains(np.asarray(H)):
        return None
    if facts.visible((c[0, groups] - 1) * facts.g) < numbers + SPARE:
        return None
    if (np.bincount(groups, weights=block.wrong[block.known]) > 0).sum() < SHARE_OF_UNITS * len(used):
        return None
    size = np.bincount(groups, weights=np.abs(facts.g) > facts.t, minlength=len(used))
    shown = (size > len(regressors)) & (c[0] != 0)
    if shown.sum() < 2:
        return None
    factors = 1 / c[0, shown]
    return float(factors.min()), float(factors.max())
