"""Costs with exact gradients that several tests share; at module level, so that workers can load them."""

from __future__ import annotations

import threading
import time

import numpy as np

import fastgrad


def sphere(x):
    """The sum of squares."""
    return float(np.sum(x**2))


def sphere_gradient(x):
    """Its gradient."""
    return 2 * x


def waves(x, a=1.0):
    """A sum of sines."""
    return a * np.sum(np.sin(x))


def waves_gradient(x, a=1.0):
    """Its gradient."""
    return a * np.cos(x)


def waves_batch(batch, a=1.0):
    """The same for a batch of parameter vectors."""
    return a * np.sin(batch).sum(axis=1)


def waves_loop(x, a=1.0):
    """The same as `waves`, as a loop that Numba compiles."""
    total = 0.0
    for i in range(x.size):
        total += np.sin(x[i])
    return a * total


def slow_waves(x):
    """A cost of at least a millisecond."""
    began = time.perf_counter()
    while time.perf_counter() - began < 1e-3:
        pass
    return float(np.sum(np.sin(x)))


def layered(p, X, T):
    """A small network with nested parameters."""
    hidden = np.tanh(X @ p["enc"]["W"] + p["enc"]["b"])
    return 0.5 * np.sum((hidden @ p["out"][0] - T) ** 2)


def layered_gradient(p, X, T):
    """Its gradient by back-propagation."""
    hidden = np.tanh(X @ p["enc"]["W"] + p["enc"]["b"])
    e = hidden @ p["out"][0] - T
    d = (e @ p["out"][0].T) * (1 - hidden**2)
    return {"enc": {"W": X.T @ d, "b": d.sum(axis=0)}, "out": [hidden.T @ e]}


def layered_problem(seed=0, dtype=np.float64, samples=12):
    """The Problem with blocks enc.W (4, 5), enc.b (5,), out[0] (5, 3)."""
    rng = np.random.default_rng(seed)
    X, T = rng.normal(size=(samples, 4)).astype(dtype), rng.normal(size=(samples, 3)).astype(dtype)
    params = {
        "enc": {"W": rng.normal(size=(4, 5)).astype(dtype), "b": rng.normal(size=5).astype(dtype)},
        "out": [rng.normal(size=(5, 3)).astype(dtype)],
    }
    return fastgrad.Problem(layered, layered_gradient, params, (X, T))


class Unpicklable:
    """A cost that holds a lock."""

    def __init__(self):
        self.lock = threading.Lock()

    def __call__(self, x):
        """The cost, under the lock."""
        with self.lock:
            return slow_waves(x)
