"""Compensated sums: their rounding error does not grow with the number of terms.

The rounding error of a cost limits the accuracy of its finite differences, so the loops of `losses` sum this
way. A loop writes its terms into a block of BLOCK float64. `add_block` adds the second half of the block to
the first until one term is left, and keeps the rounding error of each addition (Knuth's TwoSum). Both loops
vectorise. Then it adds the block to the sum of the blocks before, in the same way.

Each of n terms t goes through d = log2(BLOCK) + n / BLOCK additions. Their rounding errors sum to at most
d u sum |t|, u = 2**-53, and are themselves added with at most 2 d roundings. So the result differs from the
exact sum S by at most

    u |S| + 2 d**2 u**2 sum |t|

which is half an ulp for a million terms, unless these cancel to a part in 10**8. It takes 0.9 ns a term, as
long as a plain loop, which cannot vectorise.
"""

import math
from typing import Any

import numpy.typing as npt

from fastgrad.kernels.jit import jit, jit_inlined

BLOCK = 256
"""The number of terms in a block. Its arrays stay in a first-level cache (cross-entropy has six of 2 kB), and
the last additions of a block, which vectorise badly, are few for each term."""


@jit_inlined
def two_sum(a: float, b: float) -> tuple[float, float]:
    """fl(a + b) and its error a + b - fl(a + b), exactly, for any order of |a| and |b| (Knuth)."""
    s = a + b
    t = s - a
    return s, (a - (s - t)) + (b - t)


# n = terms; terms and errors (BLOCK,), both overwritten
@jit
def add_block(
    high: float, low: float, terms: npt.NDArray[Any], errors: npt.NDArray[Any], n: int
) -> tuple[float, float]:
    """high + low + the sum of terms[:n], as a sum of two numbers that is not rounded to one."""
    errors[:n] = 0.0
    while n > 1:
        half = (n + 1) // 2
        left, right = terms[: n - half], terms[half:n]
        left_errors, right_errors = errors[: n - half], errors[half:n]
        for i in range(n - half):
            s, e = two_sum(left[i], right[i])
            left[i] = s
            left_errors[i] += right_errors[i] + e
        n = half
    s, e = two_sum(high, terms[0])
    return s, low + (errors[0] + e)


@jit_inlined
def rounded(high: float, low: float) -> float:
    """The sum as one number. The error of an infinite sum is NaN and is left out."""
    return float(high + low if math.isfinite(high) else high)
