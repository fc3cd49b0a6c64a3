"""Parameters that are tiny and not zero: what is left of a cancellation, of decay, of a conversion.

Most of them act on the scale of one, where steps that follow their size move nothing. A few act on their own.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from corpus.cases import Case
from corpus.digits import by_complex_step
from corpus.mixed_units import as_float32, verified
from corpus.twins import wrong_at, wrong_block

F32 = np.float32


def waves(x):
    """Sines of unlike rates."""
    return np.sum(np.sin(np.arange(1, len(x) + 1) * x))


def waves_gradient(x):
    """Their slopes."""
    k = np.arange(1, len(x) + 1)
    return k * np.cos(k * x)


def regression(w, X, y):
    """Half a mean of squares, by tanh."""
    return 0.5 * np.mean((np.tanh(X @ w) - y) ** 2)


def regression_gradient(w, X, y):
    """Its gradient."""
    a = np.tanh(X @ w)
    return X.T @ ((a - y) * (1 - a**2)) / a.dtype.type(len(y))


def data(seed, n, k, dtype=np.float64):
    """Samples and targets."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, k)).astype(dtype), rng.uniform(-1, 1, n).astype(dtype)


def on_the_scale_of_one():
    """Steps of 1e-3 are right for all of these."""
    yield verified("a parameter of 1e-20", waves, waves_gradient, np.array([1e-20, 0.3, -0.7])), [0]
    yield verified("a parameter of -1e-300", waves, waves_gradient, np.array([0.4, -1e-300, -0.7])), [1]
    yield verified("the least positive number", waves, waves_gradient, np.array([0.4, 0.3, 5e-324])), [2]
    x = np.array([np.sin(np.pi), np.cos(np.pi / 2), 0.1 + 0.2 - 0.3, 0.6])
    yield verified("what sin(pi) leaves", waves, waves_gradient, x), [0, 1, 2]
    x = np.array([1e-20, -3e-20, 2e-20, 1.5e-20])
    yield verified("all parameters of 1e-20", waves, waves_gradient, x), [0, 1, 2, 3]
    yield verified("one parameter, sin(pi)", waves, waves_gradient, np.array([np.sin(np.pi)])), [0]
    w = np.random.default_rng(941).normal(size=8)
    w[[1, 4, 7]] *= 1e-40
    yield (
        verified("decayed weights of 1e-40", regression, regression_gradient, w, data(942, 20, 8)),
        [1, 4, 7],
    )
    w = w.astype(F32)
    w[[1, 4, 7]] = np.array([1e-40, -3e-40, 2e-39], F32)  # below the least normal number
    f32 = {"sees": 1e-2, "exact": 1e-5}
    args = data(943, 20, 8, F32)
    yield (
        verified("decayed weights of 1e-40 in float32", regression, regression_gradient, w, args, **f32),
        [1, 4, 7],
    )
    w = w.copy()
    w[[1, 4, 7]] = np.array([1e-30, -3e-25, 2e-20], F32)
    yield (
        verified("decayed weights of 1e-30 in float32", regression, regression_gradient, w, args, **f32),
        [1, 4, 7],
    )
    x = np.array([1e-20, 0.3, -0.7], F32)
    yield verified("a parameter of 1e-20 in float32", waves, as_float32(waves_gradient), x, **f32), [0]


def on_their_own_scale():
    """Steps follow the parameter."""
    yield (
        verified(
            "a parameter of 1e-20 in its own unit",
            lambda x: (x[0] / 1e-20 - 2) ** 2 + np.sin(x[1]),
            lambda x: np.array([2e20 * (x[0] / 1e-20 - 2), np.cos(x[1])]),
            np.array([1.1e-20, 0.3]),
        ),
        [0, 1],
    )
    yield (
        verified(
            "the logarithm of 1e-20",
            lambda x: np.log(x[0]) * np.sin(x[1]),
            lambda x: np.array([np.sin(x[1]) / x[0], np.log(x[0]) * np.cos(x[1])]),
            np.array([1e-20, 0.3]),
        ),
        [0, 1],
    )
    yield verified("x^2 at 1e-20", lambda x: x[0] ** 2, lambda x: 2 * x, np.array([1e-20])), [0]
    yield (
        verified(
            "x^2 at 1e-20 and at -1e-30",
            lambda x: x[0] ** 2 * 1e40 + x[1] ** 2 * 1e60,
            lambda x: np.array([2e40, 2e60]) * x,
            np.array([1e-20, -1e-30]),
        ),
        [0, 1],
    )


def net(p, X, y):
    """A tanh layer and a linear one."""
    return 0.5 * np.mean((np.tanh(X @ p["W"] + p["b"]) @ p["v"] - y) ** 2)


def net_gradient(p, X, y):
    """Its gradient."""
    a = np.tanh(X @ p["W"] + p["b"])
    e = (a @ p["v"] - y) / a.dtype.type(len(y))
    d = np.outer(e, p["v"]) * (1 - a**2)
    return {"W": X.T @ d, "b": d.sum(axis=0), "v": a.T @ e}


def net_case(name, dtype, **case):
    """The biases are 1e-20."""
    rng = np.random.default_rng(944)
    p = {"W": rng.normal(size=(3, 4)), "b": 1e-20 * rng.normal(size=4), "v": rng.normal(size=4)}
    X, y = data(945, 15, 3, dtype)
    doubles = {k: v.astype(dtype).astype(np.float64) for k, v in p.items()}
    truth = partial(by_complex_step, net, doubles, (X.astype(np.float64), y.astype(np.float64)))
    return Case(
        name, net, net_gradient, {k: v.astype(dtype) for k, v in p.items()}, (X, y), truth=truth, **case
    )


VECTORS = [*on_the_scale_of_one(), *on_their_own_scale()]

NETS = [
    net_case("biases of 1e-20", np.float64, sees=1e-4),
    net_case("biases of 1e-20 in float32", np.float32, sees=1e-2, floor=1e-2, exact=1e-5, rounding=1e-5),
]

RIGHT = [*(case for case, _ in VECTORS), *NETS]


def wrong():
    """The tiny ones with the other sign, and half as large again."""
    for case, tiny in VECTORS:
        for bug in ("with the other sign", "half as large again"):
            yield wrong_at(case, tiny, bug)
    for case in NETS:
        for bug in ("with the other sign", "half as large again"):
            yield wrong_block(case, "b", bug)


WRONG = [*wrong()]
