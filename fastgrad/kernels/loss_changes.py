"""The change of a sample's loss, l(y + d) - l(y), without cancellation.

Notation: y = an output of the network, t = its target, d = the change of the output, E(d) = exp(d) - 1.

    l(y + d) - l(y) = finish(sum over outputs of curved) + sum over outputs of linear

`kernels.dense_tail` computes this from two numbers of each output, r0 and r1, which depend on y and the
target alone: `prepared` computes them once, outputs (samples, outputs) in, two arrays of that shape out. A
loss is a type here, as an activation is in `kernels.changes`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from fastgrad.kernels.changes import small_expm1, small_log1p
from fastgrad.kernels.jit import jit_inlined, overload

Array = npt.NDArray[np.float64]


class SquaredError(NamedTuple):
    """0.5 (y - t)^2: curved = d (r + d / 2) with r0 = r = y - t."""

    parameter: float = 0.0


class SoftmaxCrossEntropy(NamedTuple):
    """log(sum exp y) - y[label]: log(1 + sum p E(d)) - d[label], with r0 = p = softmax, r1 = [label]."""

    parameter: float = 0.0


class LogisticLoss(NamedTuple):
    """log(1 + exp y) - t y: log(1 + s E(d)) - t d, with r0 = s = sigmoid(y), r1 = t."""

    parameter: float = 0.0


Loss = SquaredError | SoftmaxCrossEntropy | LogisticLoss


@jit_inlined
def _curved_squared(r0: float, r1: float, d: float) -> float:
    return d * (r0 + 0.5 * d)


@jit_inlined
def _curved_softmax(r0: float, r1: float, d: float) -> float:
    return r0 * small_expm1(d)


@jit_inlined
def _curved_logistic(r0: float, r1: float, d: float) -> float:
    return small_log1p(r0 * small_expm1(d))


@jit_inlined
def _no_linear(r1: float, d: float) -> float:
    return 0.0


@jit_inlined
def _minus_target(r1: float, d: float) -> float:
    return -r1 * d


@jit_inlined
def _as_it_is(total: float) -> float:
    return total


_PARTS: dict[str, tuple[Callable[..., float], Callable[..., float], Callable[..., float]]] = {
    "SquaredError": (_curved_squared, _no_linear, _as_it_is),
    "SoftmaxCrossEntropy": (_curved_softmax, _minus_target, small_log1p),
    "LogisticLoss": (_curved_logistic, _minus_target, _as_it_is),
}


def curved(loss: Loss, r0: float, r1: float, d: float) -> float:
    """The term of one output in the sum that `finish` takes."""
    return _PARTS[type(loss).__name__][0](r0, r1, d)


def linear(loss: Loss, r1: float, d: float) -> float:
    """The term of one output that is linear in d."""
    return _PARTS[type(loss).__name__][1](r1, d)


def finish(loss: Loss, total: float) -> float:
    """The function of the sum of `curved` over outputs."""
    return _PARTS[type(loss).__name__][2](total)


@overload(curved)
def _curved_by_type(loss: Any, r0: Any, r1: Any, d: Any) -> Any:
    part = _PARTS[loss.instance_class.__name__][0]

    def compiled(loss: Any, r0: Any, r1: Any, d: Any) -> Any:  # pragma: no cover
        return part(r0, r1, d)

    return compiled


@overload(linear)
def _linear_by_type(loss: Any, r1: Any, d: Any) -> Any:
    part = _PARTS[loss.instance_class.__name__][1]

    def compiled(loss: Any, r1: Any, d: Any) -> Any:  # pragma: no cover
        return part(r1, d)

    return compiled


@overload(finish)
def _finish_by_type(loss: Any, total: Any) -> Any:
    part = _PARTS[loss.instance_class.__name__][2]

    def compiled(loss: Any, total: Any) -> Any:  # pragma: no cover
        return part(total)

    return compiled


# If the activation of a unit before the last layer changes by m, output k changes by w_k m. Then the sum of
# `curved` over outputs is a power series in m, and the sum of `linear` is a multiple of m. Their
# coefficients, here called moments, do not depend on m and are computed once for a unit and a sample:
# moments[0] to moments[7] are those of m to m^8 in the series, moments[8] is that of the linear sum.

POWERS = 8
"""The number of powers of m: that of the series of exp(d) - 1 in `changes.small_expm1`."""


@jit_inlined
def _moments_softmax(r0: float, r1: float, w: float, moments: Array, n: int) -> None:
    power = r0
    for j in range(POWERS):
        power = power * w / (j + 1.0)
        moments[j, n] += power
    moments[POWERS, n] -= r1 * w


@jit_inlined
def _moments_squared(r0: float, r1: float, w: float, moments: Array, n: int) -> None:
    moments[0, n] += r0 * w
    moments[1, n] += 0.5 * w * w


@jit_inlined
def _no_moments(r0: float, r1: float, w: float, moments: Array, n: int) -> None:
    pass


_MOMENTS: dict[str, Callable[..., None]] = {
    "SquaredError": _moments_squared,
    "SoftmaxCrossEntropy": _moments_softmax,
    "LogisticLoss": _no_moments,  # the sum is one of logarithms, no power series in m
}


def has_moments(loss: Loss) -> bool:
    """Whether a loss's change is a power series of the change of one unit before the last layer."""
    return _MOMENTS[type(loss).__name__] is not _no_moments


def add_moments(loss: Loss, r0: float, r1: float, w: float, moments: Array, n: int) -> None:
    """Add the terms of one output, which the weight w leads to, to the moments of lane n."""
    _MOMENTS[type(loss).__name__](r0, r1, w, moments, n)


@overload(add_moments)
def _moments_by_type(loss: Any, r0: Any, r1: Any, w: Any, moments: Any, n: Any) -> Any:
    part = _MOMENTS[loss.instance_class.__name__]

    def compiled(loss: Any, r0: Any, r1: Any, w: Any, moments: Any, n: Any) -> Any:  # pragma: no cover
        return part(r0, r1, w, moments, n)

    return compiled


@jit_inlined
def of_moments(moments: Array, n: int, m: float) -> float:
    """The sum of `curved` at m: Horner's rule, in two halves that do not depend on each other."""
    low = moments[0, n] + m * (moments[1, n] + m * (moments[2, n] + m * moments[3, n]))
    high = moments[4, n] + m * (moments[5, n] + m * (moments[6, n] + m * moments[7, n]))
    m2 = m * m
    return float(m * (low + m2 * m2 * high))


def prepared(loss: Loss, y: Array, target: npt.NDArray[Any]) -> tuple[Array, Array]:
    """The numbers r0, r1 for outputs y (samples, outputs) and targets as the loss takes them."""
    if isinstance(loss, SquaredError):
        return y - target, np.zeros_like(y)
    if isinstance(loss, LogisticLoss):
        e = np.exp(-np.abs(y))
        return np.where(y >= 0, 1 / (1 + e), e / (1 + e)), target.astype(np.float64)
    p = np.exp(y - y.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    return p, (np.arange(y.shape[1]) == target[:, None]).astype(np.float64)
