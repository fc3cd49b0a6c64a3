"""Losses: one number from the network's outputs (samples, ...) and the targets.

`Network` and the network engine call them. All sums are in float64, also for a float32 network, so that
differences of the cost carry only the rounding error of the network.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from fastgrad.errors import InputError
from fastgrad.networks.activations import sigmoid, softplus
from fastgrad.networks.base import Array, Shape


class Loss(Protocol):
    """One number from outputs (samples, *shape) and targets.

    A loss of your own has these methods, and a check calls its `value` with whole batches.
    """

    def check(self, shape: Shape, samples: int, target: Any) -> Array:
        """The targets as an array; raises InputError where they do not fit outputs of that shape."""

    def value(self, y: Array, target: Array) -> float:
        """The loss."""

    def gradient(self, y: Array, target: Array) -> Array:
        """The gradient of the loss with respect to y, in float64."""


class SummedLoss(Loss, Protocol):
    """A loss that is a sum over samples, as those of this module are."""

    def each(self, y: Array, target: Array, samples: int | None = None) -> Array:
        """Each sample's term, in float64, of the loss of a batch of `samples` (default: those of y)."""


@dataclass(frozen=True)
class HalfSquaredError:
    """0.5 * sum((y - target)^2), over samples and features.

    Examples
    --------
    >>> import numpy as np
    >>> import fastgrad
    >>> fastgrad.HalfSquaredError().value(np.array([[1.0, 2.0]]), np.zeros((1, 2)))
    2.5
    """

    def check(self, shape: Shape, samples: int, target: Any) -> Array:
        """The targets, of the outputs' shape."""
        return _same_shape(self, shape, samples, target)

    def value(self, y: Array, target: Array) -> float:
        """0.5 * sum((y - target)^2)."""
        return float(self.each(y, target).sum())

    def each(self, y: Array, target: Array, samples: int | None = None) -> Array:
        """0.5 * sum((y - target)^2) of each sample."""
        del samples  # the loss is a sum, not a mean
        return 0.5 * _by_sample(_difference(y, target) ** 2)

    def gradient(self, y: Array, target: Array) -> Array:
        """y - target."""
        return _difference(y, target)


@dataclass(frozen=True)
class MeanSquaredError:
    """mean((y - target)^2), over samples and features.

    Examples
    --------
    >>> import numpy as np
    >>> import fastgrad
    >>> fastgrad.MeanSquaredError().value(np.array([[1.0, 2.0]]), np.zeros((1, 2)))
    2.5
    """

    def check(self, shape: Shape, samples: int, target: Any) -> Array:
        """The targets, of the outputs' shape."""
        return _same_shape(self, shape, samples, target)

    def value(self, y: Array, target: Array) -> float:
        """mean((y - target)^2)."""
        return float(self.each(y, target).sum())

    def each(self, y: Array, target: Array, samples: int | None = None) -> Array:
        """sum((y - target)^2) / size of each sample."""
        return np.asarray(_by_sample(_difference(y, target) ** 2) / (y[0].size * (samples or len(y))))

    def gradient(self, y: Array, target: Array) -> Array:
        """2 (y - target) / size."""
        return 2 * _difference(y, target) / y.size


@dataclass(frozen=True)
class SoftmaxCrossEntropy:
    """The mean over samples of log(sum(exp(z))) - z[label].

    Examples
    --------
    >>> import numpy as np
    >>> import fastgrad
    >>> fastgrad.SoftmaxCrossEntropy().value(np.array([[0.0, 0.0]]), np.array([1]))
    0.6931471805599453
    """

    def check(self, shape: Shape, samples: int, target: Any) -> Array:
        """The targets: integer labels, one for each sample."""
        labels = np.asarray(target)
        if len(shape) != 1:
            raise InputError(
                f"{self} takes one score for each class; the outputs have shape {shape}", code="FG624"
            )
        if labels.dtype.kind not in "iu" or labels.shape != (samples,):
            raise InputError(
                f"{self} takes integer labels of shape ({samples},); "
                f"got {labels.dtype} of shape {labels.shape}",
                code="FG624",
            )
        if samples and (labels.min() < 0 or labels.max() >= shape[0]):
            at = int(np.argmax((labels < 0) | (labels >= shape[0])))
            raise InputError(
                f"{self} takes labels from 0 to {shape[0] - 1}; the label of sample {at} is {labels[at]}",
                code="FG624",
            )
        return labels

    def value(self, y: Array, target: Array) -> float:
        """The mean of log(sum(exp(z))) - z[label], without overflow."""
        return float(self.each(y, target).sum())

    def each(self, y: Array, target: Array, samples: int | None = None) -> Array:
        """(log(sum(exp(z))) - z[label]) / samples of each sample."""
        z = _shifted(y)
        return np.asarray(
            (np.log(np.exp(z).sum(axis=1)) - z[np.arange(len(z)), target]) / (samples or len(z))
        )

    def gradient(self, y: Array, target: Array) -> Array:
        """(softmax(z) - [label]) / samples."""
        e = np.exp(_shifted(y))
        p = e / e.sum(axis=1, keepdims=True)
        p[np.arange(len(p)), target] -= 1
        return np.asarray(p / len(p))


@dataclass(frozen=True)
class LogisticLoss:
    """The mean over samples and features of log(1 + exp(z)) - target * z, targets from 0 to 1.

    Examples
    --------
    >>> import numpy as np
    >>> import fastgrad
    >>> fastgrad.LogisticLoss().value(np.array([[0.0]]), np.array([[1.0]]))
    0.6931471805599453
    """

    def check(self, shape: Shape, samples: int, target: Any) -> Array:
        """The targets, of the outputs' shape, from 0 to 1."""
        targets = _same_shape(self, shape, samples, target)
        if targets.size and (targets.min() < 0 or targets.max() > 1):
            raise InputError(
                f"{self} takes targets from 0 to 1; got {targets.min()} to {targets.max()}", code="FG624"
            )
        return targets

    def value(self, y: Array, target: Array) -> float:
        """mean(log(1 + exp(z)) - target * z)."""
        return float(self.each(y, target).sum())

    def each(self, y: Array, target: Array, samples: int | None = None) -> Array:
        """sum(log(1 + exp(z)) - target * z) / size of each sample."""
        z, t = y.astype(np.float64), target.astype(np.float64)
        terms = _by_sample(t * softplus(-z) + (1 - t) * softplus(z))
        return np.asarray(terms / (y[0].size * (samples or len(y))))

    def gradient(self, y: Array, target: Array) -> Array:
        """(sigmoid(z) - target) / size."""
        return np.asarray((sigmoid(y.astype(np.float64)) - target) / y.size)


def _difference(y: Array, target: Array) -> Array:
    return np.asarray(y.astype(np.float64) - target)


def _by_sample(terms: Array) -> Array:
    return np.asarray(terms.reshape(len(terms), -1).sum(axis=1))


def _shifted(y: Array) -> Array:
    z = y.astype(np.float64)
    return np.asarray(z - z.max(axis=1, keepdims=True))


def _same_shape(loss: Loss, shape: Shape, samples: int, target: Any) -> Array:
    targets = np.asarray(target)
    if targets.shape != (samples, *shape) or targets.dtype.kind not in "fiub":
        raise InputError(
            f"{loss} takes targets of the outputs' shape {(samples, *shape)}; got {targets.dtype} of shape "
            f"{targets.shape}",
            code="FG624",
        )
    return targets
