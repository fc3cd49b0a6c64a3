"""Costs that are constant, piecewise constant, or nothing but rounding in some of their parameters.

A slope of zero is right there. A claim of 1e-3 where the cost is constant but for rounding of 1e-16 is seen
by any step.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from corpus.cases import Case, Wrong
from corpus.digits import by_complex_step, by_digits
from corpus.nets import log_softmax, softmax
from corpus.twins import instead, wrong_at, wrong_block

STAIRS = ("jump", "kink", "noise", "step range")
"""A plateau is as wide as it is: steps beyond it see the stairs."""


def zeros(x):
    """No slope."""
    return np.zeros_like(x)


def by_small_steps(cost, x, args=()):
    """Differences within 1e-6, which must be zero exactly on a plateau."""
    moves = np.eye(len(x))
    found = [(cost(x + 1e-6 * e, *args) - cost(x - 1e-6 * e, *args)) / 2e-6 for e in moves]
    return np.array(found, dtype=float)


def plateau(name, cost, gradient, x, args=(), truth=None, **case):
    """A right case in the middle of a plateau."""
    truth = truth or partial(by_small_steps, cost, x, args)
    few = {"reasons": STAIRS, "expected": "jump", "sees": 1e-2, "rounding": 1e-9, "floor": 1e-8}
    return Case(name, cost, gradient, x, args, truth=truth, **{**few, **case})


def plateaus():
    """Stairs, and places on them."""
    rng = np.random.default_rng(951)
    X = rng.normal(size=(40, 3))
    y = np.sign(X @ [1.0, -0.5, 0.3] + 0.3 * rng.normal(size=40))
    yield plateau(
        "share of errors of a classifier",
        lambda w, X, y: np.mean(np.sign(X @ w) != y),
        lambda w, X, y: zeros(w),
        np.array([0.9, -0.4, 0.5]),
        (X, y),
    )
    yield plateau(
        "rounded to one decimal", lambda x: np.round(np.sum(np.sin(x)), 1), zeros, np.array([0.3, 1.1, -0.4])
    )
    yield plateau("stairs of one", lambda x: np.sum(np.floor(x)), zeros, np.array([0.5, 1.4, -0.6]))
    yield plateau(
        "stairs beside a wave",
        lambda x: np.floor(x[0]) + np.sin(x[1]),
        lambda x: np.array([0.0, np.cos(x[1])]),
        np.array([0.5, 0.4]),
        truth=lambda: np.array([0.0, np.cos(0.4)]),
    )
    yield plateau(
        "counts in bins",
        lambda x: float(np.sum(np.histogram(x, bins=[-2, -1, 0, 1, 2])[0] ** 2)),
        zeros,
        np.array([-1.5, -0.5, -0.4, 0.5, 1.5]),
    )


def constants():
    """Nothing depends on the parameters."""
    for value, name in ((3.7, "a constant of 3.7"), (0.0, "a constant of 0"), (1e10, "a constant of 1e10")):
        x = np.array([0.3, 1.0, -0.4, 0.0])
        yield Case(name, lambda x, value=value: value, zeros, x, truth=lambda: np.zeros(4))


def rounding_only():
    """Constant but for the rounding of what is added and taken away."""
    x = np.array([0.3, 1.2, -0.8])
    yield Case(
        "cos^2 + sin^2",
        lambda x: np.mean(np.cos(x) ** 2 + np.sin(x) ** 2),
        zeros,
        x,
        truth=lambda: np.round(by_digits(lambda x: np.sum(np.cos(x) ** 2 + np.sin(x) ** 2), x), 30),
    )
    yield Case(
        "sum of a softmax",
        lambda x: np.sum(np.exp(x) / np.sum(np.exp(x))),
        zeros,
        x,
        truth=lambda: np.round(by_digits(lambda x: np.sum(np.exp(x) / np.sum(np.exp(x))), x), 30),
    )


def normed(p, X, y):
    """A linear layer, batch norm, and a linear one: the bias before the norm has no effect."""
    z = X @ p["W"] + p["b"]
    z = z - z.mean(axis=0)
    a = z / np.sqrt(np.mean(z**2, axis=0) + z.real.dtype.type(1e-5))
    return 0.5 * np.mean((np.tanh(a) @ p["v"] - y) ** 2)


def normed_gradient(p, X, y):
    """Its gradient; that of the bias is what rounding leaves."""
    z = X @ p["W"] + p["b"]
    z = z - z.mean(axis=0)
    s = np.sqrt(np.mean(z**2, axis=0) + z.dtype.type(1e-5))
    a = z / s
    h = np.tanh(a)
    e = (h @ p["v"] - y) / z.dtype.type(len(y))
    d = np.outer(e, p["v"]) * (1 - h**2)
    d = (d - d.mean(axis=0) - a * np.mean(d * a, axis=0)) / s
    return {"W": X.T @ d, "b": d.sum(axis=0), "v": h.T @ e}


def attention(p, X, y):
    """One head; the bias of the keys adds a constant to each row before the softmax."""
    q, k = X @ p["Q"], X @ p["K"] + p["b"]
    return 0.5 * np.mean((_rows(q @ k.T) @ X @ p["v"] - y) ** 2)


def _rows(z):
    e = np.exp(z - z.real.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def attention_gradient(p, X, y):
    """Its gradient."""
    q, k = X @ p["Q"], X @ p["K"] + p["b"]
    a = _rows(q @ k.T)
    e = (a @ X @ p["v"] - y) / X.dtype.type(len(y))
    by_a = np.outer(e, X @ p["v"])
    d = a * (by_a - np.sum(by_a * a, axis=1, keepdims=True))
    return {"Q": X.T @ (d @ k), "K": X.T @ (d.T @ q), "b": (d.T @ q).sum(axis=0), "v": (a @ X).T @ e}


def shifted(p, X, y):
    """Softmax regression with a common shift of all outputs."""
    z = X @ p["W"] + p["shift"]
    return -log_softmax(z)[np.arange(len(y)), y].mean()


def shifted_gradient(p, X, y):
    """Its gradient; that of the shift is what rounding leaves."""
    d = softmax(X @ p["W"] + p["shift"])
    d[np.arange(len(y)), y] -= 1
    d = d / d.dtype.type(len(y))
    return {"W": X.T @ d, "shift": d.sum(keepdims=True).reshape(1)}


MODELS = {
    "batch norm after a bias": (normed, normed_gradient, {"W": (3, 4), "b": 4, "v": 4}),
    "attention with a bias of keys": (
        attention,
        attention_gradient,
        {"Q": (3, 2), "K": (3, 2), "b": 2, "v": 3},
    ),
    "softmax with a common shift": (shifted, shifted_gradient, {"W": (3, 4), "shift": 1}),
}
"""Costs, gradients and shapes."""


def models(dtype, few):
    """Networks in which one block has no effect."""
    for name, (cost, gradient, shapes) in MODELS.items():
        rng = np.random.default_rng(953)
        p = {k: rng.normal(size=shape).astype(dtype) for k, shape in shapes.items()}
        X = rng.normal(size=(14, 3)).astype(dtype)
        y = rng.integers(0, 4, 14) if cost is shifted else rng.normal(size=14).astype(dtype)
        doubles = {k: v.astype(np.float64) for k, v in p.items()}
        args = (X.astype(np.float64), y if cost is shifted else y.astype(np.float64))
        truth = partial(by_complex_step, cost, doubles, args)
        name = name if dtype is np.float64 else f"{name} in float32"
        yield Case(name, cost, gradient, p, (X, y), truth=truth, **few)


PLATEAUS = [*plateaus()]

CONSTANTS = [*constants()]

ROUNDING = [*rounding_only()]

NETS = [*models(np.float64, {"sees": 1e-4, "floor": 1e-8, "rounding": 1e-14})]

NARROW_NETS = [*models(np.float32, {"sees": 1e-2, "floor": 1e-2, "rounding": 1e-5, "exact": 1e-5})]

RIGHT = [*PLATEAUS, *CONSTANTS, *ROUNDING, *NETS, *NARROW_NETS]

NOTHING = {"batch": "b", "attention": "b", "softmax": "shift"}
"""The block that has no effect."""


def slope_of_nothing(case, size):
    """The block without effect has a slope."""
    block = NOTHING[case.name.split()[0]]

    def gradient(p, *args):
        g = case.gradient(p, *args)
        g[block] = g[block] + g[block].dtype.type(size)
        return g

    return gradient


def wrong():
    """Slopes where there are none, and errors beside."""
    for case in PLATEAUS:
        claim = case.right_gradient()
        claim[0] += 5.0
        yield instead(case, "a slope of 5", claim, hidden=True)
    yield wrong_at(PLATEAUS[3], 1, "off by 20%")
    for case in [*CONSTANTS, *ROUNDING]:
        claim = case.right_gradient()
        claim[-1] = 1e-3
        yield instead(case, "a slope of 1e-3", claim, where=(f"params[{len(claim) - 1}]",))
        yield instead(case, "slopes of one", np.ones(len(claim)))
    for case in NETS:
        yield Wrong(case, "a slope of 1e-3 of nothing", slope_of_nothing(case, 1e-3))
    for case in [*NETS, *NARROW_NETS]:
        yield Wrong(case, "a slope of 0.1 of nothing", slope_of_nothing(case, 0.1))
        block = "W" if "W" in case.params else "Q"
        yield wrong_block(case, block, "off by 20%")


WRONG = [*wrong()]
