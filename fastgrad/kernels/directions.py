"""Moving many coordinates at once along a random direction that is never stored.

    v_i = size * sign_i * m_i / 8,    m_i in {4, ..., 12}, sign_i in {-1, 1},    both from splitmix64(seed, i)

A counter-based generator gives the number of coordinate i without those before it, so that a direction is a
seed, any part of it can be walked alone, and no array of its length exists (docs/numerics.md, Directions;
splitmix64 is Steele, Lea and Flood's, OOPSLA 2014). At n = 1e6, drawing signs with NumPy took longer than the
cost.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from fastgrad.arrays import Floats
from fastgrad.kernels.jit import jit, jit_inlined, jit_summing, plain

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
FIRST = np.uint64(0xBF58476D1CE4E5B9)
SECOND = np.uint64(0x94D049BB133111EB)
MAGNITUDES = np.uint64(9)
LEAST = np.uint64(4)
S27, S30, S31, S32, S63 = (np.uint64(k) for k in (27, 30, 31, 32, 63))
ONE = np.uint64(1)

LANES = 512
"""Products are kept for so many coordinates and then summed: the loop that moves them has no sum to wait for,
and only the sum may be taken in another order. (Where it might as well, (x + d) - x becomes d.)"""


STEPS = np.arange(LANES, dtype=np.uint64) * GOLDEN
RAMP = np.arange(LANES, dtype=np.float64)
"""What the k-th of LANES coordinates adds to the state of the generator, and k as a float: without AVX-512 a
product of 64-bit integers takes six instructions, and none makes one a float."""


# seed, i, z: uint64
@jit_inlined
def _component_of(z: Any) -> Any:
    z = (z ^ (z >> S30)) * FIRST
    z = (z ^ (z >> S27)) * SECOND
    z = z ^ (z >> S31)
    eighths = ((z >> S32) * MAGNITUDES >> S32) + LEAST
    sign = 1.0 - 2.0 * np.float64(np.int32(z & ONE))
    return sign * np.float64(np.int32(eighths)) * 0.125


@jit_inlined
def component(seed: Any, i: Any) -> Any:
    """v_i of size 1: a multiple of 1/8 between 1/2 and 3/2, or minus one."""
    return _component_of(seed + (i + ONE) * GOLDEN)


@jit
def _draw(state: Any, out: Floats, count: int) -> None:
    """out[k] = v of the coordinate that is k after the one of this state."""
    for k in range(count):
        out[k] = _component_of(state + STEPS[k])


@jit_summing
def _sum(products: Floats, count: int) -> float:
    total = 0.0
    for k in range(count):
        total += products[k]
    return total


@jit
def _move(
    out: Any, x: Any, g: Any, v: Floats, length: float, weight: float, slope: float, rises: Floats, count: int
) -> None:
    for k in range(count):  # by out.size it took three times as long
        d = length * v[k] * (weight + slope * RAMP[k])
        known = g[k] - g[k] == 0.0
        out[k] = x[k] + (d if known else 0.0)
        rises[k] = (g[k] if known else 0.0) * (np.float64(out[k]) - np.float64(x[k]))


# out, x, g: one stretch of a flat block; start = flat index of its first coordinate; products, v: (LANES,)
@jit
def move(
    out: Any,
    x: Any,
    g: Any,
    start: int,
    seed: Any,
    length: float,
    weight: float,
    slope: float,
    products: Floats,
    v: Floats,
) -> float:
    """out = x + length * w * v over a stretch, w_k = weight + slope * k; returns g . (out - x).

    Coordinates whose g is not finite stay where they are. 2.4 ns a coordinate with AVX2 in two loops, one of
    integers and one of floats; in one loop 4.2, and with AVX-512 0.9.
    """
    total = 0.0
    for begin in range(0, out.size, LANES):
        count = min(LANES, out.size - begin)
        _draw(seed + (np.uint64(start + begin) + ONE) * GOLDEN, v, count)
        end, w = begin + count, weight + slope * begin
        _move(out[begin:end], x[begin:end], g[begin:end], v, length, w, slope, products, count)
        total += _sum(products, count)
    return total


def components(seed: int, indices: npt.NDArray[np.intp]) -> Floats:
    """v_i of size 1 at some flat indices (m,).

    Examples
    --------
    >>> components(7, np.arange(4)).tolist()
    [-0.875, 0.5, 1.5, -1.125]
    """
    with np.errstate(over="ignore"):
        state = np.uint64(seed) + (indices.astype(np.uint64) + ONE) * GOLDEN
        return np.asarray(plain(_component_of)(state), dtype=np.float64)
