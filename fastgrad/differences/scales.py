"""The scale of each coordinate: its size, the slope to expect there, and the step that noise asks for.

Notation, for one coordinate: x = the parameter, g = the claimed derivative, sigma = the noise of the cost,
E = the typical effect |g x| of a parameter, Z = the quantile of all bounds,

    q    = |g|, the slope to expect; where g is zero or not finite it is E / size
    size = |x|, or where a step of SHARE of that is lost in noise, what noise lets through, up to E / q and 1
    r    = sigma / (q size), the noise in units of the parameter's effect
    h    = size min(2^-7, (3 r)^(1/3), 4 Z 0.707 r / 2^-30)

(3 r)^(1/3) is where truncation and noise balance if the cost's shape along x is of x's own size. 4 Z 0.707
r / rho is the least step at which noise leaves a relative error of rho / 4. No step is wider than rho =
2^-30 needs, and none is wider than 2^-7 of the size unless noise demands it: then it is what rho = 2^-10
needs, up to a quarter of the size. Where zero is claimed the step is 2^-7 of the size: that shows the
smallest slope. (docs/numerics.md, Step.)

Multiply a parameter by c and divide its derivative by c: the step is multiplied by c. (Not so for one of less
than 1 whose own effect is lost in noise: it is moved by up to 1, ORDINARY, for nothing tells its unit.)
Nothing here depends on how parameters are split into blocks, nor on an offset of the cost but by its noise.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fastgrad.arrays import Floats, IndexArray

SHARE = 2.0**-7
"""The largest step, as a share of the parameter's size, where noise demands no larger one."""

WIDEST = 2.0**-2
"""The largest step where noise demands it."""

FINEST_WANTED = 2.0**-30
"""The relative error (times 4) beyond which no step is widened: the classic 1e-8 is then certified."""

COARSEST_WANTED = 2.0**-10
"""The relative error (times 4) for which a step is widened beyond SHARE."""

WEAK = 0.1
"""A coordinate of less than this share of the typical effect has no wider steps beyond SHARE than one of that
share. Its derivative would be lost in the truncation of a step as wide as noise demands."""

VISIBLE = 2.0**21
"""Effects below this many sigma are not seen at SHARE of the size: 4 Z 0.707 / COARSEST_WANTED / SHARE, for
Z = 5.7."""

ORDINARY = 1.0
"""The size up to which a parameter is moved that is far too small to be moved by a share of its own: a
decayed weight of 1e-40, or sin(pi)."""

STANDS_OUT = 2.0**7
"""Effects of less than so many sigma are not counted as typical: of SHARE of the size nothing would be
seen."""

SAMPLED = 2**16
"""Coordinates from which the typical effect and the size of zeros are computed, at most."""

MANTISSA, EXPONENT_OF_HALF = 52, np.int16(1022)
"""The layout of float64: bits of the mantissa, and the exponent field of 1/2."""

CELL = 7
"""Sizes within one power of 2^CELL = 128 count as alike."""


@dataclass(frozen=True, eq=False)
class OwnScale:
    """Size, expected slope and step of m coordinates; each (m,)."""

    own: Floats
    """|x|, or for a zero the size at which its effect is the typical one, `least` at most."""
    size: Floats
    slope: Floats
    step: Floats

    @property
    def cell(self) -> IndexArray:
        """A number for each coordinate, the same for those alike in size and in slope."""
        across, along = magnitude(self.size), magnitude(self.slope)
        return np.asarray(across * 1000 + along, dtype=np.intp)


def own_scale(
    x: Floats, g: Floats, least: Floats, sigma: Floats | float, effect: float, z: float
) -> OwnScale:
    """The scale of each coordinate.

    Parameters
    ----------
    x : (m,) parameters
    g : (m,) derivatives to expect; not finite where unknown
    least : (m,) the size to take for a parameter that is zero
    sigma : (m,) or one, the noise of a value
    effect : E; 0 where unknown
    z : the quantile

    Examples
    --------
    >>> one = np.ones(1)
    >>> found = own_scale(50 * one, 0.02 * one, one, 1e-16, 1.0, 5.0)
    >>> float(found.size[0]), bool(1e-5 < found.step[0] < 1e-4)
    (50.0, True)
    >>> small = own_scale(1e-12 * one, 1e12 * one, one, 1e-16, 1.0, 5.0)
    >>> bool(1e-19 < small.step[0] < 1e-17)
    True
    """
    sigma = np.broadcast_to(sigma, x.shape)
    own = np.abs(x)
    known = np.isfinite(g) & (g != 0)
    some = np.where(own > 0, own, least)
    with np.errstate(all="ignore"):
        usual = effect if effect > 0 else VISIBLE * sigma
        slope = np.where(known, np.abs(g), usual / some)
        natural = usual / slope  # the size at which the effect is the typical one
        natural = np.where(np.isfinite(natural) & (natural > 0), natural, some)
        seen = np.minimum(np.maximum(least, ORDINARY), VISIBLE * sigma / slope)
        itself = np.where(own > 0, own, np.minimum(natural, least))
        size = np.minimum(natural, np.maximum(np.where(own > 0, own, least), seen))
        size = np.maximum(own, size)
        noise = sigma / (slope * size)
        most = np.minimum(np.cbrt(3 * noise), needed(noise, FINEST_WANTED, z))
        step = np.where(g == 0, SHARE, np.minimum(SHARE, most))
        effective = np.minimum(noise, sigma / (WEAK * usual))
        wide = np.minimum(needed(effective, COARSEST_WANTED, z), WIDEST)
        step = size * np.maximum(step, np.where(wide > SHARE, wide, 0.0))
    step = np.where(np.isfinite(step) & (step > 0), step, some * SHARE)
    return OwnScale(itself, size, slope, 2.0 ** np.floor(np.log2(step)))


def needed(noise: Floats, wanted: float, z: float) -> Floats:
    """The step, in units of the size, at which noise leaves a relative error of wanted / 4."""
    return np.asarray(4 * z * 0.707 * noise / wanted)


def typical_effect(x: Floats, g: Floats, sigma: float) -> float:
    """E, the median of |g x| where that is finite and stands out from the noise; 0 if it is nowhere."""
    with np.errstate(all="ignore"):
        effects = np.abs(x * g)
    effects = effects[(effects > STANDS_OUT * sigma) & np.isfinite(effects)]
    return float(np.median(effects)) if len(effects) else 0.0


def size_of_zeros(x: Floats) -> float:
    """The size to take for a parameter that is zero: that of the smallest tenth of all; 1 if all are zero.

    Parameters
    ----------
    x : (n,) all parameters, or SAMPLED of them

    Examples
    --------
    >>> size_of_zeros(np.zeros(3)), size_of_zeros(np.array([0.0, 1e6, 1e-6]))
    (1.0, 1e-06)
    """
    some = np.sort(np.abs(x[x != 0]))
    return float(some[len(some) // 10]) if len(some) else 1.0


def magnitude(values: Floats) -> IndexArray:
    """The power of 2^CELL of each value; a number of its own for zero."""
    bits = np.ascontiguousarray(values, dtype=np.float64).view(np.int64)
    exponent = (bits >> MANTISSA).astype(np.int16) & 0x7FF  # as np.frexp's, at a tenth of its time
    found = (exponent - EXPONENT_OF_HALF) // np.int16(CELL)
    found[values == 0] = -499
    return found.astype(np.intp)
