"""BatchNorm and LayerNorm: they subtract a mean, divide by a deviation, scale and shift.

Notation: y = (x - mean) / sqrt(variance + eps), z = scale * y + shift; with dy the gradient of y,

    dx = (dy - mean(dy) - y * mean(dy * y)) / sqrt(variance + eps)

with means over the same axes as those of the statistics.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fastgrad.networks.base import Array, Blocks, Shape, expect_features, expect_image

EPSILON = 1e-5
"""Added to the variance. The value is that of torch.nn.BatchNorm2d and LayerNorm."""

Axes = tuple[int, ...]


@dataclass(frozen=True)
class BatchNorm:
    """Normalises each feature, or each channel of an image, over the batch.

    The mean and the deviation are those of the batch itself, as in training, so that the output for a sample
    depends on the other samples.

    Parameters
    ----------
    features : length of the last axis, or channels of an image
    epsilon : added to the variance

    Examples
    --------
    >>> import fastgrad
    >>> sorted(fastgrad.Network([fastgrad.BatchNorm(3)], fastgrad.HalfSquaredError()).initial_parameters())
    ['0.scale', '0.shift']
    """

    features: int
    epsilon: float = EPSILON

    def output_shape(self, shape: Shape) -> Shape:
        """The shape of the input."""
        if len(shape) == 1:
            expect_features(self, shape, self.features)
        else:
            expect_image(self, shape, self.features)
        return shape

    def initial(self, rng: np.random.Generator) -> Blocks:
        """Scales of 1 and shifts of 0."""
        del rng
        return {"scale": np.ones(self.features), "shift": np.zeros(self.features)}

    def forward(self, p: Blocks, x: Array) -> Array:
        """The normalised input, scaled and shifted."""
        return self.normalised(x) * _wide(p["scale"], x) + _wide(p["shift"], x)

    def normalised(self, x: Array) -> Array:
        """(x - mean) / deviation of each feature over the batch."""
        return normalise(x, _batch_axes(x), self.epsilon)[0]

    def backward(self, p: Blocks, x: Array, dy: Array) -> tuple[Array, Blocks]:
        """The gradients, with the dependence of the batch's mean and variance on x."""
        axes = _batch_axes(x)
        y, deviation = normalise(x, axes, self.epsilon)
        dx = through_normalise(y, deviation, dy * _wide(p["scale"], x), axes)
        return dx, {"scale": (dy * y).sum(axis=axes), "shift": dy.sum(axis=axes)}


@dataclass(frozen=True)
class LayerNorm:
    """Normalises each sample over its last axis.

    Parameters
    ----------
    features : length of the last axis
    epsilon : added to the variance

    Examples
    --------
    >>> import fastgrad
    >>> fastgrad.LayerNorm(8).output_shape((8,))
    (8,)
    """

    features: int
    epsilon: float = EPSILON

    def output_shape(self, shape: Shape) -> Shape:
        """The shape of the input."""
        expect_features(self, shape, self.features)
        return shape

    def initial(self, rng: np.random.Generator) -> Blocks:
        """Scales of 1 and shifts of 0."""
        del rng
        return {"scale": np.ones(self.features), "shift": np.zeros(self.features)}

    def forward(self, p: Blocks, x: Array) -> Array:
        """The normalised input, scaled and shifted."""
        return self.normalised(x) * p["scale"] + p["shift"]

    def normalised(self, x: Array) -> Array:
        """(x - mean) / deviation of each sample over its features."""
        return normalise(x, (-1,), self.epsilon)[0]

    def backward(self, p: Blocks, x: Array, dy: Array) -> tuple[Array, Blocks]:
        """The gradients, with the dependence of each sample's mean and variance on x."""
        y, deviation = normalise(x, (-1,), self.epsilon)
        dx = through_normalise(y, deviation, dy * p["scale"], (-1,))
        others = tuple(range(x.ndim - 1))
        return dx, {"scale": (dy * y).sum(axis=others), "shift": dy.sum(axis=others)}


def normalise(x: Array, axes: Axes, epsilon: float) -> tuple[Array, Array]:
    """(x - mean) / deviation and the deviation sqrt(variance + epsilon), both over `axes`."""
    centred = x - x.mean(axis=axes, keepdims=True)
    deviation = np.sqrt(np.square(centred).mean(axis=axes, keepdims=True) + epsilon)
    centred /= deviation
    return centred, deviation


def through_normalise(y: Array, deviation: Array, dy: Array, axes: Axes) -> Array:
    """The gradient of x from that of y = normalise(x)."""
    mean_dy = dy.mean(axis=axes, keepdims=True)
    mean_dy_y = (dy * y).mean(axis=axes, keepdims=True)
    return np.asarray((dy - mean_dy - y * mean_dy_y) / deviation)


def _batch_axes(x: Array) -> Axes:
    return (0,) if x.ndim == 2 else (0, 2, 3)


def _wide(values: Array, x: Array) -> Array:
    """One value for each feature or channel, in a shape that broadcasts against x."""
    return values if x.ndim == 2 else values[:, None, None]
