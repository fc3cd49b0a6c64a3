"""The move along a random direction: x + t v, and g . (t v) for a gradient g, without an array for v.

    v_i = size * sign_i * m_i / 8,    m_i in {4, ..., 12}, sign_i in {-1, 1},    both from splitmix64(seed, i)

A counter-based generator gives the component of coordinate i without those before it (splitmix64 is by
Steele, Lea and Flood, OOPSLA 2014; docs/numerics.md, Directions). So a seed stands for a direction, and any
stretch of coordinates can be moved alone. `engines.directional` calls `move` with stretches of flat blocks.
At n = 1e6 drawing signs with NumPy takes longer than the cost.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from fastgrad.arrays import Floats
from fastgrad.kernels.jit import jit, jit_inlined, jit_summing, plain

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
"""The increment of splitmix64's state: 2^64 divided by the golden ratio, rounded to an odd number."""

FIRST_FACTOR = np.uint64(0xBF58476D1CE4E5B9)
"""The factor of splitmix64's first multiplication."""

SECOND_FACTOR = np.uint64(0x94D049BB133111EB)
"""The factor of splitmix64's second multiplication."""

MAGNITUDES = np.uint64(9)
"""The number of magnitudes m_i: 4 to 12."""

LEAST_MAGNITUDE = np.uint64(4)
"""The least magnitude m_i."""

S27, S30, S31, S32 = (np.uint64(k) for k in (27, 30, 31, 32))  # distances of shifts
ONE = np.uint64(1)

STRIP = 512
"""The number of coordinates that are moved in one loop, before a second loop sums their products g (x' - x).
So the first loop need not wait for a sum, and the compiler may change the order of the sum alone: if it might
also reorder the first loop, (x + d) - x would become d."""

STATE_OFFSETS = np.arange(STRIP, dtype=np.uint64) * GOLDEN
"""What coordinate k of a strip adds to the state of the generator. Without AVX-512 the product takes six
instructions."""

RAMP = np.arange(STRIP, dtype=np.float64)
"""k as a float64. Without AVX-512 there is no instruction for this conversion."""


# seed, i, z: uint64
@jit_inlined
def _component_of(z: Any) -> Any:
    """v_i / size for the generator's state z of coordinate i: +-m_i / 8."""
    z = (z ^ (z >> S30)) * FIRST_FACTOR
    z = (z ^ (z >> S27)) * SECOND_FACTOR
    z = z ^ (z >> S31)
    eighths = ((z >> S32) * MAGNITUDES >> S32) + LEAST_MAGNITUDE
    sign = 1.0 - 2.0 * np.float64(np.int32(z & ONE))
    return sign * np.float64(np.int32(eighths)) * 0.125


@jit
def _draw(state: Any, out: Floats, count: int) -> None:
    """out[k] = v / size of the coordinate k places after the one of this state."""
    for k in range(count):
        out[k] = _component_of(state + STATE_OFFSETS[k])


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
    for k in range(count):  # with out.size in place of count this takes three times as long
        d = length * v[k] * (weight + slope * RAMP[k])
        known = g[k] - g[k] == 0.0
        out[k] = x[k] + (d if known else 0.0)
        rises[k] = (g[k] if known else 0.0) * (np.float64(out[k]) - np.float64(x[k]))


# out, x, g (k,): a stretch of a flat block; start = flat index of its first coordinate; products, v (STRIP,)
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
    """out = x + length * w * v / size over a stretch, w_k = weight + slope * k; returns g . (out - x).

    Coordinates whose g is not finite do not move. One loop for the integers and one for the floats take 2.4
    ns a coordinate with AVX2 and 0.9 with AVX-512; a single loop takes 4.2 ns with AVX2.
    """
    total = 0.0
    for begin in range(0, out.size, STRIP):
        count = min(STRIP, out.size - begin)
        _draw(seed + (np.uint64(start + begin) + ONE) * GOLDEN, v, count)
        end, w = begin + count, weight + slope * begin
        _move(out[begin:end], x[begin:end], g[begin:end], v, length, w, slope, products, count)
        total += _sum(products, count)
    return total


def components(seed: int, indices: npt.NDArray[np.intp]) -> Floats:
    """v_i / size at some flat indices (m,).

    Examples
    --------
    >>> components(7, np.arange(4)).tolist()
    [-0.875, 0.5, 1.5, -1.125]
    """
    with np.errstate(over="ignore"):
        state = np.uint64(seed) + (indices.astype(np.uint64) + ONE) * GOLDEN
        return np.asarray(plain(_component_of)(state), dtype=np.float64)
