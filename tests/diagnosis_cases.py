"""A small network with many ways of getting its gradient wrong, and what each is called."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

import fastgrad
from fastgrad.diagnosis.diagnose import diagnose
from fastgrad.diagnosis.evidence import Evidence

N = 8  # the batch

LAMBDA = 0.1

NAMES = ("W1", "b1", "W2", "b2", "W3", "b3")

SIZES = (6, 5, 5, 3)

LENGTHS = (8, 6, 8, 3)  # of the axes of X and y


@dataclass(frozen=True)
class Bugs:
    """The ways in which the backward pass below can be wrong."""

    batch: int = N
    penalty: float = 1.0  # how often the L2 term is counted
    penalty_on_biases: float = 0.0
    data: float = 1.0  # a factor on the data part
    delta_product: str = "W.T"  # or "W"
    derivative: str = "1 - a^2"  # or "1 - z^2" or "1": of layer 2
    bias: str = "sum"  # or "first", "mean", "total"; of layer 2
    dtype: type = np.float64


RIGHTLY = Bugs()


def network(batch=N):
    """The parameters and the data of a small MLP, 6-5-5-3, tanh, half squared error, mean over the batch."""
    rng = np.random.default_rng(1)
    params = {}
    for layer, (rows, columns) in enumerate(pairwise(SIZES), 1):
        params[f"W{layer}"] = rng.normal(size=(rows, columns)) * 0.6
        params[f"b{layer}"] = rng.normal(size=columns) * 0.3
    return params, rng.normal(size=(batch, 6)), rng.normal(size=(batch, 3))


def backprop(bugs=RIGHTLY, dtype=np.float64):
    """The gradient of mean |a3 - y|^2 / 2 + LAMBDA/2 (|W1|^2 + |W2|^2 + |W3|^2), perhaps with a mistake."""
    params, X, y = network(bugs.batch)
    p = {name: v.astype(dtype) for name, v in params.items()}
    a = [X.astype(dtype)]
    z = [a[0]]
    for layer in (1, 2, 3):
        z.append(a[-1] @ p[f"W{layer}"] + p[f"b{layer}"])
        a.append(np.tanh(z[-1]) if layer < 3 else z[-1])
    delta = (a[3] - y.astype(dtype)) * dtype(bugs.data / bugs.batch)
    gradient = {}
    for layer in (3, 2, 1):
        W, b = p[f"W{layer}"], p[f"b{layer}"]
        gradient[f"W{layer}"] = a[layer - 1].T @ delta + dtype(LAMBDA * bugs.penalty) * W
        gradient[f"b{layer}"] = delta.sum(axis=0) + dtype(LAMBDA * bugs.penalty_on_biases) * b
        if layer == 2:
            how = {
                "sum": delta.sum(0),
                "first": delta[0],
                "mean": delta.mean(0),
                "total": delta.sum() + 0 * b,
            }
            gradient["b2"] = how[bugs.bias] + dtype(LAMBDA * bugs.penalty_on_biases) * b
        delta = delta @ (W if layer == 2 and bugs.delta_product == "W" else W.T)
        if layer > 1:
            right = 1 - a[layer - 1] ** 2
            wrong = {"1 - a^2": right, "1 - z^2": 1 - z[layer - 1] ** 2, "1": np.ones_like(right)}
            delta = delta * (wrong[bugs.derivative] if layer == 3 else right)
    return {name: gradient[name] for name in NAMES}


def numeric(gradient, seed=0):
    """The numerical derivatives of a gradient and their bounds: noise, and a bound that holds it."""
    rng = np.random.default_rng(seed)
    for name, true in gradient.items():
        bound = 1e-9 * np.abs(true) + 1e-11
        yield name, true + rng.uniform(-1, 1, size=np.shape(true)) * bound, bound


def evidence(claimed, batch=N, truth=None, x=None, dtype=None):
    """What fastgrad knows of each block after a sweep of all entries."""
    truth = backprop(Bugs(batch)) if truth is None else truth
    x = network(batch)[0] if x is None else x
    return [
        block(name, claimed[name], d, e, x.get(name, np.zeros(np.shape(d))), dtype)
        for name, d, e in numeric(truth)
    ]


def block(name, g, d, e=None, x=None, dtype=None):
    """The evidence of one block from arrays of its shape, with fastgrad's verdict on it."""
    d = np.asarray(d, dtype=float)
    g = np.broadcast_to(np.asarray(g, dtype=float), d.shape)
    e = 1e-9 * np.abs(d) + 1e-11 if e is None else np.broadcast_to(e, d.shape)
    x = np.zeros(d.shape) if x is None else np.asarray(x, dtype=float)
    shape, (g, d, e, x) = d.shape, (np.array(v).reshape(-1) for v in (g, d, e, x))
    largest = np.nanmax(np.abs(d), initial=0.0) or 1.0
    rms = largest * np.sqrt(np.nanmean((d / largest) ** 2)) if np.isfinite(d).any() else 0.0
    allowed = 1e-6 * np.fmax(np.fmax(np.abs(g), np.abs(d)), 0.1 * rms)
    with np.errstate(invalid="ignore"):
        wrong = (np.abs(g - d) - e > allowed) | ~np.isfinite(g)
        undecided = ~wrong & ~(np.abs(g - d) + e <= allowed)
    return Evidence(name, shape, np.arange(d.size), g, d, e, wrong, undecided, x, dtype)


def changed(**blocks):
    """The right gradient with some blocks put in its place."""
    return backprop() | {name: np.asarray(v, dtype=float) for name, v in blocks.items()}


def said(claimed, lengths=LENGTHS, **given):
    """(kind, sentence) of each diagnosis of a gradient of the MLP."""
    return [(d.kind, d.sentence) for d in diagnose(evidence(claimed, **given), lengths)]


def kinds(*blocks, lengths=LENGTHS):
    """The kinds of the diagnoses of some blocks."""
    return [d.kind for d in diagnose(blocks, lengths)]


def diagnosed(cost, gradient, params):
    """The sentences of a whole check."""
    return fastgrad.check_gradient(lambda p: float(cost(p)), gradient, params).diagnosis


_NUMBERS = np.random.default_rng(5)

MATRIX = _NUMBERS.normal(size=(6, 5))

VECTOR = _NUMBERS.normal(size=12)

RIGHT = backprop()

PARAMS = network()[0]

W1, W2, B1, B2 = (RIGHT[name] for name in ("W1", "W2", "b1", "b2"))

EVERY = "in every entry"


def put(array, where, values):
    """A copy with other values in some places."""
    array = array.copy()
    array[where] = values(array[where]) if callable(values) else values
    return array


def single():
    """The gradient computed in float32, in a float64 array."""
    return {name: v.astype(np.float64) for name, v in backprop(dtype=np.float32).items()}
