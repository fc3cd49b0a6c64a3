"""The change of the loss for a moved weight, from the polynomials of the unit it leads to.

`engines.network.tables` makes the polynomials and calls this: offsets (m, S) in, changes of the loss (m, S)
out.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fastgrad.arrays import Floats
from fastgrad.kernels.jit import jit

Indices = npt.NDArray[np.intp]


@jit
def evaluate_polynomials(
    sums: Floats, row: Indices, unit: Indices, offsets: Floats, scale: float, reach: float, out: Floats
) -> None:
    """out[k, s] = reach * sum_p sums[p, row[k], unit[k]] w^(p+1), with w = scale * offsets[k, s], p = 0 .. 3.

    NumPy takes twice as long, since it gathers the coefficients of each power.
    """
    for k in range(row.size):
        i, j = row[k], unit[k]
        c0, c1, c2, c3 = sums[0, i, j], sums[1, i, j], sums[2, i, j], sums[3, i, j]
        for s in range(offsets.shape[1]):
            w = scale * offsets[k, s]
            out[k, s] = reach * (w * (c0 + w * (c1 + w * (c2 + w * c3))))
