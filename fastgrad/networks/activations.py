"""Activations: layers that apply a function a(z) to each number by itself.

Arrays of any shape go in and come out, with their dtype. `Chain` and the network engine call them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fastgrad.networks.base import Array, Blocks, Shape, WithoutParameters


class Activation(WithoutParameters):
    """What all activations have in common: output of the input's shape, and no parameters."""

    def output_shape(self, shape: Shape) -> Shape:
        """The shape of the input."""
        return shape

    def forward(self, p: Blocks, x: Array) -> Array:
        """a(z)."""
        del p
        return self.value(x)

    def backward(self, p: Blocks, x: Array, dy: Array) -> tuple[Array, Blocks]:
        """The gradient dy times a'(z)."""
        del p
        return dy * self.slope(x, self.value(x)), {}

    def value(self, z: Array) -> Array:
        """a(z)."""
        raise TypeError(f"{type(self).__name__} is no activation")

    def slope(self, z: Array, a: Array) -> Array:
        """a'(z), from z and a = a(z)."""
        raise TypeError(f"{type(self).__name__} is no activation")


@dataclass(frozen=True)
class Sigmoid(Activation):
    """a = 1 / (1 + exp(-z)).

    Examples
    --------
    >>> import numpy as np
    >>> import fastgrad
    >>> fastgrad.Sigmoid().value(np.array([0.0]))
    array([0.5])
    """

    def value(self, z: Array) -> Array:
        """1 / (1 + exp(-z))."""
        return sigmoid(z)

    def slope(self, z: Array, a: Array) -> Array:
        """a (1 - a)."""
        return np.asarray(a * (1 - a))


@dataclass(frozen=True)
class Tanh(Activation):
    """a = tanh(z).

    Examples
    --------
    >>> import numpy as np
    >>> import fastgrad
    >>> fastgrad.Tanh().value(np.array([0.0]))
    array([0.])
    """

    def value(self, z: Array) -> Array:
        """tanh(z)."""
        return np.asarray(np.tanh(z))

    def slope(self, z: Array, a: Array) -> Array:
        """1 - a^2."""
        return np.asarray(1 - a**2)


@dataclass(frozen=True)
class ReLU(Activation):
    """a = max(z, 0), with slope 0 at 0.

    Examples
    --------
    >>> import numpy as np
    >>> import fastgrad
    >>> fastgrad.ReLU().value(np.array([-1.0, 2.0]))
    array([0., 2.])
    """

    def value(self, z: Array) -> Array:
        """max(z, 0); a NaN stays."""
        return np.maximum(z, 0)

    def slope(self, z: Array, a: Array) -> Array:
        """1 where z > 0."""
        return (z > 0).astype(z.dtype)


@dataclass(frozen=True)
class LeakyReLU(Activation):
    """a = z for z > 0, else leak * z.

    Parameters
    ----------
    leak : the slope below zero

    Examples
    --------
    >>> import numpy as np
    >>> import fastgrad
    >>> fastgrad.LeakyReLU().value(np.array([-1.0, 2.0]))
    array([-0.01,  2.  ])
    """

    leak: float = 0.01

    def value(self, z: Array) -> Array:
        """z, or leak * z below zero."""
        return np.where(z > 0, z, self.leak * z).astype(z.dtype)

    def slope(self, z: Array, a: Array) -> Array:
        """1, or leak below zero."""
        return np.where(z > 0, 1.0, self.leak).astype(z.dtype)


@dataclass(frozen=True)
class ELU(Activation):
    """a = z for z > 0, else alpha (exp(z) - 1).

    Parameters
    ----------
    alpha : a approaches -alpha for z far below zero

    Examples
    --------
    >>> import numpy as np
    >>> import fastgrad
    >>> fastgrad.ELU().value(np.array([0.0, 2.0]))
    array([0., 2.])
    """

    alpha: float = 1.0

    def value(self, z: Array) -> Array:
        """z, or alpha (exp(z) - 1) below zero."""
        return np.where(z > 0, z, self.alpha * np.expm1(np.minimum(z, 0))).astype(z.dtype)

    def slope(self, z: Array, a: Array) -> Array:
        """1, or a + alpha below zero."""
        return np.where(z > 0, 1.0, a + self.alpha).astype(z.dtype)


@dataclass(frozen=True)
class Softplus(Activation):
    """a = log(1 + exp(z)).

    Examples
    --------
    >>> import numpy as np
    >>> import fastgrad
    >>> fastgrad.Softplus().value(np.array([0.0]))
    array([0.69314718])
    """

    def value(self, z: Array) -> Array:
        """log(1 + exp(z)), without overflow."""
        return softplus(z)

    def slope(self, z: Array, a: Array) -> Array:
        """The sigmoid of z."""
        return sigmoid(z)


@dataclass(frozen=True)
class SiLU(Activation):
    """a = z sigmoid(z).

    Examples
    --------
    >>> import numpy as np
    >>> import fastgrad
    >>> fastgrad.SiLU().value(np.array([0.0]))
    array([0.])
    """

    def value(self, z: Array) -> Array:
        """z sigmoid(z)."""
        return z * sigmoid(z)

    def slope(self, z: Array, a: Array) -> Array:
        """s + z s (1 - s), with s the sigmoid of z."""
        s = sigmoid(z)
        return np.asarray(s + z * s * (1 - s))


@dataclass(frozen=True)
class GELU(Activation):
    """a = z Phi(z), with Phi the normal distribution function (exact, not the approximation by tanh).

    Examples
    --------
    >>> import numpy as np
    >>> import fastgrad
    >>> fastgrad.GELU().value(np.array([0.0]))
    array([0.])
    """

    def value(self, z: Array) -> Array:
        """z Phi(z)."""
        return np.asarray(z * _normal_cdf(z))

    def slope(self, z: Array, a: Array) -> Array:
        """Phi(z) + z phi(z)."""
        density = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
        return np.asarray(_normal_cdf(z) + z * density, dtype=z.dtype)


def sigmoid(z: Array) -> Array:
    """1 / (1 + exp(-z)), without overflow."""
    e = np.exp(-np.abs(z))
    return np.where(z >= 0, 1 / (1 + e), e / (1 + e)).astype(z.dtype)


def softplus(z: Array) -> Array:
    """log(1 + exp(z)), without overflow."""
    return np.asarray(np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z))))


def _normal_cdf(z: Array) -> NDArray[np.floating]:
    from scipy.special import ndtr

    return np.asarray(ndtr(z), dtype=z.dtype)
