"""Cases and helpers that several tests share."""

from __future__ import annotations

import numpy as np

from fastgrad.kernels.sums import BLOCK, add_block, rounded

INF, NAN = np.inf, np.nan


def compensated_sum(terms):
    """The sum of a flat array, block by block, as the losses sum their terms."""
    block, errors = np.empty(BLOCK), np.empty(BLOCK)
    high, low = 0.0, 0.0
    for start in range(0, len(terms), BLOCK):
        some = terms[start : start + BLOCK]
        block[: len(some)] = some
        high, low = add_block(high, low, block, errors, len(some))
    return rounded(high, low)
