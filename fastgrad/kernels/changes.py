"""The change of an activation, a(z + d) - a(z), without cancellation.

Notation: z = the input, a = a(z), d = the change of the input, |d| <= SMALL; E = exp(d) - 1.

`kernels.dense_tail` propagates changes through activations by these formulas. Each gives the change to a few
ulp of itself, however small d is; the difference of two rounded values would lose all digits below ulp(a).
Numbers that depend on z alone, up to three called q0, q1, q2, are computed once, by `prepared`: z (any shape)
in, three arrays of the same shape out.

An activation is a type here, a NamedTuple of its one parameter. Numba then compiles a kernel for the
activations of one network, without a branch for any other.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from fastgrad.kernels.jit import jit_inlined, overload

SMALL = 2.0**-5
"""The largest |d| for which the series below are exact to rounding."""

Array = npt.NDArray[np.float64]


class Identity(NamedTuple):
    """a = z."""

    parameter: float = 0.0


class Sigmoid(NamedTuple):
    """a = 1 / (1 + exp(-z))."""

    parameter: float = 0.0


class Tanh(NamedTuple):
    """a = tanh(z)."""

    parameter: float = 0.0


class ReLU(NamedTuple):
    """a = max(z, 0)."""

    parameter: float = 0.0


class LeakyReLU(NamedTuple):
    """a = z, or parameter * z below zero."""

    parameter: float = 0.01


class ELU(NamedTuple):
    """a = z, or parameter * (exp(z) - 1) below zero."""

    parameter: float = 1.0


class Softplus(NamedTuple):
    """a = log(1 + exp(z))."""

    parameter: float = 0.0


class SiLU(NamedTuple):
    """a = z sigmoid(z)."""

    parameter: float = 0.0


class GELU(NamedTuple):
    """a = z Phi(z)."""

    parameter: float = 0.0


Activation = Identity | Sigmoid | Tanh | ReLU | LeakyReLU | ELU | Softplus | SiLU | GELU


@jit_inlined
def small_expm1(d: float) -> float:
    """exp(d) - 1 for |d| <= SMALL: its Taylor series to d^8, relative truncation error under 2^-58."""
    d2 = d * d
    low = 1.0 + d * 0.5
    middle = (1.0 / 6.0 + d * (1.0 / 24.0)) + d2 * (1.0 / 120.0 + d * (1.0 / 720.0))
    high = 1.0 / 5040.0 + d * (1.0 / 40320.0)
    return d * (low + d2 * (middle + d2 * d2 * high))


@jit_inlined
def small_tanh(d: float) -> float:
    """tanh(d) for |d| <= SMALL: its Taylor series to d^9, relative truncation error under 2^-56."""
    d2 = d * d
    return d + d * d2 * (-1.0 / 3.0 + d2 * (2.0 / 15.0 + d2 * (-17.0 / 315.0 + d2 * (62.0 / 2835.0))))


@jit_inlined
def small_log1p(t: float) -> float:
    """log(1 + t) = 2 atanh(t / (2 + t)) for |t| <= 2 SMALL, by the series of atanh to s^13."""
    s = t / (2.0 + t)
    z = s * s
    series = 1.0 / 3.0 + z * (1.0 / 5.0 + z * (1.0 / 7.0 + z * (1.0 / 9.0 + z * (1.0 / 11.0 + z / 13.0))))
    return 2.0 * (s + s * z * series)


@jit_inlined
def change_identity(parameter: float, q0: float, q1: float, q2: float, d: float) -> float:
    """d."""
    return d


@jit_inlined
def change_sigmoid(parameter: float, q0: float, q1: float, q2: float, d: float) -> float:
    """a (1 - a) E / (1 + a E), with q0 = a, q1 = a (1 - a)."""
    e = small_expm1(d)
    return q1 * e / (1.0 + q0 * e)


@jit_inlined
def change_tanh(parameter: float, q0: float, q1: float, q2: float, d: float) -> float:
    """(1 - a^2) t / (1 + a t) with t = tanh(d), q0 = a, q1 = 1 - a^2: the addition theorem."""
    t = small_tanh(d)
    return q1 * t / (1.0 + q0 * t)


@jit_inlined
def change_relu(parameter: float, q0: float, q1: float, q2: float, d: float) -> float:
    """max(z + d, 0) - max(z, 0), with q0 = z; a NaN stays NaN."""
    above = -q0 if d < -q0 else d  # the change for z > 0
    moved = q0 + d
    below = 0.0 if moved < 0.0 else moved  # the change for z <= 0
    return above if q0 > 0.0 else below


@jit_inlined
def change_leaky_relu(parameter: float, q0: float, q1: float, q2: float, d: float) -> float:
    """The change of max(z, 0) + parameter * min(z, 0), with q0 = z."""
    moved = q0 + d
    from_above = parameter * moved - q0 if moved < 0.0 else d
    from_below = parameter * d if moved < 0.0 else moved - parameter * q0
    return from_above if q0 > 0.0 else from_below


@jit_inlined
def change_elu(parameter: float, q0: float, q1: float, q2: float, d: float) -> float:
    """With q0 = z, q1 = a, q2 = a + parameter: (a + parameter) E below zero, d above."""
    moved = q0 + d
    near = SMALL if moved > SMALL else moved
    near = -SMALL if near < -SMALL else near  # where z + d has another sign than z, |z + d| <= |d| <= SMALL
    from_above = parameter * small_expm1(near) - q0 if moved < 0.0 else d
    from_below = q2 * small_expm1(d) if moved < 0.0 else moved - q1
    return from_above if q0 > 0.0 else from_below


@jit_inlined
def change_softplus(parameter: float, q0: float, q1: float, q2: float, d: float) -> float:
    """log(1 + s E), with q0 = s = sigmoid(z)."""
    return small_log1p(q0 * small_expm1(d))


@jit_inlined
def change_silu(parameter: float, q0: float, q1: float, q2: float, d: float) -> float:
    """d s + (z + d) (s(z + d) - s), with q0 = z, q1 = s = sigmoid(z), q2 = s (1 - s)."""
    e = small_expm1(d)
    return d * q1 + (q0 + d) * (q2 * e / (1.0 + q1 * e))


@jit_inlined
def change_gelu(parameter: float, q0: float, q1: float, q2: float, d: float) -> float:
    """d Phi + (z + d) (Phi(z + d) - Phi), with q0 = z, q1 = Phi(z), q2 = phi(z).

    Phi(z + d) - Phi(z) = phi(z) sum_n (-1)^n He_n(z) d^(n+1) / (n+1)!, Hermite's polynomials by their
    recurrence. The terms after the eleventh are under 2^-53 for |z| <= 8; beyond, phi(z) < 2^-48.
    """
    z = q0
    before, he = 1.0, z
    power = d
    total = d
    sign = -1.0
    for n in range(1, 11):
        power = power * d / (n + 1.0)
        total += sign * he * power
        before, he = he, z * he - n * before
        sign = -sign
    return d * q1 + (z + d) * (q2 * total)


_CHANGES: dict[str, Callable[..., float]] = {
    "Identity": change_identity,
    "Sigmoid": change_sigmoid,
    "Tanh": change_tanh,
    "ReLU": change_relu,
    "LeakyReLU": change_leaky_relu,
    "ELU": change_elu,
    "Softplus": change_softplus,
    "SiLU": change_silu,
    "GELU": change_gelu,
}


def change(activation: Activation, q0: float, q1: float, q2: float, d: float) -> float:
    """a(z + d) - a(z), from q0, q1, q2 of z as `prepared` gives them; also in compiled code."""
    return _CHANGES[type(activation).__name__](activation.parameter, q0, q1, q2, d)


@overload(change)
def _change_by_type(activation: Any, q0: Any, q1: Any, q2: Any, d: Any) -> Any:
    of_this = _CHANGES[activation.instance_class.__name__]

    def compiled(activation: Any, q0: Any, q1: Any, q2: Any, d: Any) -> Any:  # pragma: no cover
        return of_this(activation.parameter, q0, q1, q2, d)

    return compiled


def prepared(activation: Activation, z: Array) -> tuple[Array, Array, Array]:
    """The numbers q0, q1, q2 of inputs z, as the formulas above name them."""
    e = np.exp(-np.abs(z))
    s = np.where(z >= 0, 1 / (1 + e), e / (1 + e))
    slope = e / (1 + e) ** 2  # s (1 - s) without the cancellation
    if isinstance(activation, Sigmoid):
        return s, slope, z
    if isinstance(activation, Tanh):
        e2 = e * e
        return np.tanh(z), 4 * e2 / (1 + e2) ** 2, z
    if isinstance(activation, ELU):
        below = np.exp(np.minimum(z, 0))
        a = np.where(z > 0, z, activation.parameter * np.expm1(np.minimum(z, 0)))
        return z, a, activation.parameter * below
    if isinstance(activation, Softplus):
        return s, z, z
    if isinstance(activation, SiLU):
        return z, s, slope
    if isinstance(activation, GELU):
        from scipy.special import ndtr

        return z, ndtr(z), np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
    return z, z, z
