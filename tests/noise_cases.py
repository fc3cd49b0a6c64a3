"""Cases and helpers that several tests share."""

from __future__ import annotations

import numpy as np

from fastgrad.differences.noise import (
    measure_noise,
)
from fastgrad.differences.stencils import CENTRAL
from fastgrad.differences.steps import default_step
from fastgrad.problem.block import typical_size

DOUBLE, SINGLE = 2.0**-52, 2.0**-23

EXACT = np.longdouble


def sampler(cost, theta):
    """The values of a cost of the whole vector, one coordinate moved at a time."""

    def sample(indices, offsets):
        out = np.empty(offsets.shape)
        for k, s in np.ndindex(*offsets.shape):
            moved = theta.copy()
            moved[indices[k]] = theta.dtype.type(float(theta[indices[k]]) + offsets[k, s])
            out[k, s] = cost(moved)
        return out

    return sample


def measured(cost, theta, epsilon=DOUBLE, probes=4):
    """The noise of a cost along its first coordinates, at the default step."""
    indices = np.arange(min(probes, len(theta)))
    h, typical = default_step(theta, CENTRAL), typical_size(theta)
    largest = abs(float(cost(theta)))
    sample = sampler(cost, theta)
    return measure_noise(sample, theta[indices], indices, h, epsilon=epsilon, largest=largest, scale=typical)


def tanh_net(dtype):
    """The cost of a network of 5-7-3 units on 20 samples, in the precision of what it is given."""
    generator = np.random.default_rng(3)
    X, Y = generator.standard_normal((20, 5)), generator.standard_normal((20, 3))
    X, Y = X.astype(np.float32), Y.astype(np.float32)

    def cost(theta):
        W1, W2, kind = theta[:35].reshape(5, 7), theta[35:].reshape(7, 3), theta.dtype
        out = np.tanh(X.astype(kind) @ W1) @ W2
        return np.sum((out - Y.astype(kind)) ** 2) / kind.type(2)

    return cost, (generator.standard_normal(56) * 0.4).astype(dtype)


def bisected(theta, tolerance=1e-8):
    """The root y of y^3 + y = sum exp(theta) / 10, by halving an interval."""
    low, high, target = 0.0, 4.0, np.sum(np.exp(theta)) / 10
    while high - low > tolerance:
        y = (low + high) / 2
        low, high = (y, high) if y**3 + y < target else (low, y)
    return (low + high) / 2


def exact_root(theta):
    """The same root, by Newton's method in extended precision."""
    target, y = np.sum(np.exp(theta.astype(EXACT))) / 10, EXACT(1)
    for _ in range(40):
        y -= (y**3 + y - target) / (3 * y * y + 1)
    return y


X = np.array([0.37, -1.21, 0.83, 1.94, -0.52, 0.11])


def in_extended(cost):
    """The same formula in extended precision."""
    return lambda theta: cost(theta.astype(EXACT))


def sine(theta):
    """sum sin(1e4 x)."""
    return np.sum(np.sin(theta.dtype.type(1e4) * theta))


def exponential(theta):
    """sum exp(x)."""
    return np.sum(np.exp(theta))


def offset(theta):
    """1e10 + sum exp(x)."""
    return theta.dtype.type(1e10) + exponential(theta)


def times(factor):
    """The cost factor * sum exp(x)."""
    return lambda theta: theta.dtype.type(factor) * exponential(theta)


def cosine(theta):
    """sum cos(x)."""
    return np.sum(np.cos(theta))


def logarithm(theta):
    """-sum log(x)."""
    return -np.sum(np.log(theta))


net64, at64 = tanh_net(np.float64)

net32, at32 = tanh_net(np.float32)

# name: cost, exact cost, theta, epsilon
TYPICAL = {
    "tanh net": (net64, in_extended(net64), at64, DOUBLE),
    "tanh net in float32": (net32, in_extended(net32), at32, SINGLE),
    "float32 inside": (
        lambda t: net32(t.astype(np.float32)),
        lambda t: net32(t.astype(np.float32).astype(EXACT)),
        at32.astype(np.float64),
        DOUBLE,
    ),
    "sin 1e4 x": (sine, in_extended(sine), X, DOUBLE),
    "exp": (exponential, in_extended(exponential), X, DOUBLE),
    "exp at 1e-8": (exponential, in_extended(exponential), X * 1e-8, DOUBLE),
    "exp at 0": (exponential, in_extended(exponential), X * 0, DOUBLE),
    "cos at 1e8": (cosine, in_extended(cosine), X * 1e8, DOUBLE),
    "offset 1e10": (offset, in_extended(offset), X, DOUBLE),
    "offset taken off": (lambda t: 1e10 + exponential(t) - 1e10, in_extended(exponential), X, DOUBLE),
    "huge": (times(1e300), in_extended(times(1e300)), X, DOUBLE),
    "tiny": (times(1e-300), in_extended(times(1e-300)), X, DOUBLE),
    "bisection": (bisected, exact_root, X, DOUBLE),
    "rounded": (lambda t: np.round(cosine(t), 6), in_extended(cosine), X, DOUBLE),
    "log near its end": (logarithm, in_extended(logarithm), np.full(4, 1e-6), DOUBLE),
    "linear": (lambda t: np.sum(t * X), lambda t: np.sum(t.astype(EXACT) * X), X, DOUBLE),
    "quadratic": (lambda t: np.sum(t * t), lambda t: np.sum(t.astype(EXACT) ** 2), X, DOUBLE),
}  # fmt: skip
