"""The step of each block, and the displacements that floating point really makes of it.

Notation: p = order of the stencil, eps = machine epsilon of the block's dtype, typ_b = typical size of
block b, h = step, d = (x + o h) - x the actual displacement of the point at offset o.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from fastgrad.differences.stencils import CENTRAL, Stencil
from fastgrad.problem.block import typical_size
from fastgrad.problem.parameters import Parameters

ULPS_OF_A_RAISED_STEP = 16
"""A step under 8 ulp of its coordinate is raised to 16 ulp (docs/numerics.md, Step): fewer, and the
displacement is a crude multiple of the rounding of x."""


def default_step(leaf: npt.NDArray[Any], stencil: Stencil, typical: float | None = None) -> float:
    """The default step of a block, h = eps^(1/(p+1)) typ_b, rounded to a power of two.

    A power of two makes x + h exact nearly everywhere. It is the step at which truncation O(h^p) and
    rounding O(eps/h) of a cost of scale 1 are of one size (docs/numerics.md, Step; eps^(1/3) for central
    differences).
    """
    eps = float(np.finfo(leaf.dtype).eps)
    typical = typical_size(leaf) if typical is None else typical
    return float(2.0 ** np.round(np.log2(eps ** (1 / (stencil.order + 1)) * typical)))


def default_steps(parameters: Parameters) -> npt.NDArray[np.float64]:
    """The default step of each block for central differences."""
    pairs = zip(parameters.leaves, parameters.typical_sizes, strict=True)
    return np.array([default_step(leaf, CENTRAL, float(typical)) for leaf, typical in pairs])


def raised(h: npt.NDArray[np.float64], x: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Steps (m,), raised to 16 ulp where they are under 8 ulp of their coordinate."""
    ulp = np.spacing(np.abs(x)).astype(np.float64, copy=False)
    small = ulp > h / 8
    return np.where(small, ULPS_OF_A_RAISED_STEP * ulp, h) if small.any() else h


def representable(x: npt.NDArray[Any], offsets: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The displacements that floating point makes of offsets (m, S) from x (m,), in x's dtype."""
    before = x.astype(np.float64, copy=False)
    found = np.empty(offsets.shape)
    for k in range(offsets.shape[1]):  # along short rows NumPy takes ten times as long
        moved = (before + offsets[:, k]).astype(x.dtype, copy=False)
        np.subtract(moved, before, out=found[:, k], dtype=np.float64)
    return found
