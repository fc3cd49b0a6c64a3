"""What a weight does, read off the polynomials of the unit it leads to (engines/network_tables.py)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fastgrad.arrays import Floats
from fastgrad.kernels.jit import jit

Indices = npt.NDArray[np.intp]


@jit
def read_off(
    sums: Floats, row: Indices, unit: Indices, offsets: Floats, shrink: float, reach: float, out: Floats
) -> None:
    """out[k, s] = reach * sum_p sums[p, row[k], unit[k]] w^(p+1), with w = shrink * offsets[k, s].

    Four powers p. (In NumPy, with a gather for each power, it took twice as long.)
    """
    for k in range(row.size):
        i, j = row[k], unit[k]
        c0, c1, c2, c3 = sums[0, i, j], sums[1, i, j], sums[2, i, j], sums[3, i, j]
        for s in range(offsets.shape[1]):
            w = shrink * offsets[k, s]
            out[k, s] = reach * (w * (c0 + w * (c1 + w * (c2 + w * c3))))
