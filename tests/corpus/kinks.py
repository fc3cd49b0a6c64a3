"""Right gradients beside, and at, points where the cost has a kink."""

from __future__ import annotations

import numpy as np

import fastgrad
from corpus.awkward import network_case, uniform
from corpus.cases import Case

KINK = ("kink",)

FORCED = ("noise",)
"""Within a kink 1e-7 away a difference is the rounding of the cost divided by 1e-7: it may be too coarse."""

CLOSER = (*FORCED, "step range", *KINK)
"""The same for kinks so close that no step of use is within them."""


def relu_net(p, X, Y):
    """A relu layer and a linear one."""
    return 0.5 * np.sum((np.maximum(X @ p["W1"] + p["b1"], 0) @ p["W2"] - Y) ** 2)


def relu_net_gradient(p, X, Y, bug=""):
    """Its gradient, or one with a bug."""
    z = X @ p["W1"] + p["b1"]
    a = np.maximum(z, 0)
    e = a @ p["W2"] - Y
    slope = {"relu passes all": np.ones_like(z), "relu the other way": z < 0, "relu by its value": a}.get(
        bug, z > 0
    )
    d = (e @ p["W2"].T) * slope
    return {"W1": X.T @ d, "b1": d.sum(axis=0), "W2": a.T @ e}


def relu_net_case(name="relu net", close=None, seed=201, dtype=np.float64, n=10, **case):
    """With the pre-activation of each unit `close` to 0 at one of the samples."""
    rng = np.random.default_rng(seed)
    X, Y = rng.normal(size=(n, 4)).astype(dtype), rng.normal(size=(n, 2)).astype(dtype)
    p = {"W1": rng.normal(size=(4, 5)), "b1": rng.normal(size=5), "W2": rng.normal(size=(5, 2))}
    p = {k: v.astype(dtype) for k, v in p.items()}
    if close is not None:
        for unit in range(5):
            p["b1"][unit] += close - (X @ p["W1"] + p["b1"])[unit, unit]
    return Case(name, relu_net, relu_net_gradient, p, (X, Y), **case)


def pooled(x, w):
    """The larger of each pair, weighted."""
    return np.sum(w * np.maximum(x[0::2], x[1::2]) ** 2)


def pooled_gradient(x, w, bug=""):
    """Its gradient, or one with a bug."""
    first = x[0::2] > x[1::2]
    if bug == "the smaller one":
        first = ~first
    d = 2 * w * np.maximum(x[0::2], x[1::2])
    g = np.zeros_like(x)
    g[0::2], g[1::2] = d * first, d * ~first
    if bug == "shared between both":
        g[0::2], g[1::2] = d / 2, d / 2
    return g


def pooled_case(name="max of pairs", gap=0.5, **case):
    """Members of a pair are `gap` apart."""
    x = uniform(202, 10, 0.5, 2.0)
    x[1::2] = x[0::2] - gap * np.array([1, -1, 1, -1, 1])
    return Case(name, pooled, pooled_gradient, x, (np.arange(1.0, 6.0),), **case)


def hinge(w, X, y):
    """A support vector machine."""
    return np.sum(np.maximum(0, 1 - y * (X @ w))) + 0.5 * w @ w


def hinge_gradient(w, X, y, bug=""):
    """Its gradient, or one with a bug."""
    margin = 1 - y * (X @ w)
    active = margin > (1 if bug == "margin forgotten" else 0)
    return -X.T @ (y * active) + (0 if bug == "no penalty" else w)


def hinge_case(name="hinge", close=None, **case):
    """With the margin of some samples `close` to 0."""
    rng = np.random.default_rng(203)
    w, X, y = rng.normal(size=4), rng.normal(size=(15, 4)), rng.choice([-1.0, 1.0], 15)
    if close is not None:
        for k in range(3):
            X[k] += w * ((1 - close) * y[k] - X[k] @ w) / (w @ w)
    return Case(name, hinge, hinge_gradient, w, (X, y), **case)


def quantile_loss(w, X, y, q=0.8):
    """Pinball."""
    r = y - X @ w
    return np.sum(np.where(r > 0, q * r, (q - 1) * r))


def quantile_loss_gradient(w, X, y, q=0.8, bug=""):
    """Its gradient, or one with a bug."""
    r = y - X @ w
    if bug == "quantiles swapped":
        q = 1 - q
    return -X.T @ np.where(r > 0, q, q - 1)


def quantile_loss_case():
    """Residuals of 1e-7 among the others."""
    rng = np.random.default_rng(204)
    w, X = rng.normal(size=3), rng.normal(size=(12, 3))
    y = X @ w + np.where(np.arange(12) < 3, 1e-7, rng.normal(size=12))
    return Case("quantile regression, residuals of 1e-7", quantile_loss, quantile_loss_gradient, w, (X, y))


def tail_mean(x):
    """The mean of the three largest."""
    return np.mean(np.sort(x)[-3:])


def tail_mean_gradient(x, bug=""):
    """Its gradient, or one with a bug."""
    g = np.zeros_like(x)
    order = np.argsort(x)
    g[order[:3] if bug == "the three smallest" else order[-4:-1] if bug == "off by one" else order[-3:]] = (
        1 / 3
    )
    return g


def tail_mean_case():
    """The fourth is 1e-7 below the third."""
    x = uniform(205, 10)
    order = np.argsort(x)
    x[order[-4]] = x[order[-3]] - 1e-7
    return Case("mean of the largest, 1e-7 apart", tail_mean, tail_mean_gradient, x)


BUGS = {
    relu_net_case: ("relu passes all", "relu the other way", "relu by its value"),
    pooled_case: ("the smaller one", "shared between both"),
    hinge_case: ("margin forgotten", "no penalty"),
    quantile_loss_case: ("quantiles swapped",),
    tail_mean_case: ("the three smallest", "off by one"),
}


def lasso(x):
    """Squares and absolute values."""
    return np.sum((x - 0.3) ** 2) + 0.5 * np.sum(np.abs(x))


def lasso_gradient(x):
    """With the subgradient 0 of |x| at 0."""
    return 2 * (x - 0.3) + 0.5 * np.sign(x)


TABLE = np.linspace(-3, 3, 25)


def table(x):
    """Linear interpolation of a sine."""
    return np.sum(np.interp(x, TABLE, np.sin(TABLE)))


def table_gradient(x):
    """The slope of the piece."""
    piece = np.searchsorted(TABLE, x, side="right") - 1
    return (np.diff(np.sin(TABLE)) / np.diff(TABLE))[piece]


def kink_cases():
    """All of them but those that BUGS builds."""
    for close, reasons in ((1e-5, ()), (1e-7, FORCED), (-1e-7, FORCED), (3e-8, CLOSER), (1e-10, CLOSER)):
        yield relu_net_case(f"relu net {close:g} from kinks", close, reasons=reasons)
    yield relu_net_case("relu net in float32", dtype=np.float32, seed=206, reasons=("noise", *KINK))
    yield relu_net_case("wide batch of relu units", n=300, why="many kinks within a step", seed=207)
    yield pooled_case("max of pairs 1e-06 apart", 1e-6)
    yield pooled_case("max of pairs 1e-07 apart", 1e-7, reasons=FORCED)
    yield pooled_case("max of equal pairs", 0.0, reasons=KINK, why="ties: one of the two is credited")
    yield hinge_case("hinge 1e-7 from its corner", 1e-7, reasons=FORCED)
    yield Case(
        "absolute values",
        lasso,
        lasso_gradient,
        np.array([1e-7, -1e-7, 1.0, -0.5, 3e-8]),
        reasons=FORCED,
    )
    yield Case(
        "absolute values at 0",
        lasso,
        lasso_gradient,
        np.array([0.0, 0.7, -0.2, 0.0]),
        reasons=KINK,
        why="any subgradient is right",
    )
    yield Case(
        "table beside its knots",
        table,
        table_gradient,
        np.append(TABLE[3:9] + 1e-7, TABLE[12:16] + 0.1),
    )
    yield Case(
        "relu net at its kinks",
        lambda x: np.sum(np.maximum(x, 0) * np.arange(1.0, 5.0)),
        lambda x: (x > 0) * np.arange(1.0, 5.0),
        np.array([0.0, 1.0, -1.0, 0.0]),
        reasons=KINK,
        why="parameters of 0 straight into a relu",
    )
    yield Case(
        "a staircase far away",
        lambda x: np.sum(np.floor(x) + x**2),
        lambda x: 2 * x,
        np.array([0.5, 1.5, 2 + 1e-6, -0.3]),
        why="a jump 1e-6 away",
    )
    layers = [
        fastgrad.Conv2D(1, 2, 3),
        fastgrad.ReLU(),
        fastgrad.MaxPool2D(2),
        fastgrad.Flatten(),
        fastgrad.Dense(8, 3),
    ]
    yield network_case("max-pool net", layers, (1, 6, 6))
    case = network_case("max-pool net 1e-7 from kinks", layers, (1, 6, 6))
    yield _close_to_kinks(case, 1e-7)
    yield network_case(
        "leaky relu net", [fastgrad.Dense(5, 6), fastgrad.LeakyReLU(0.1), fastgrad.Dense(6, 3)], (5,), n=30
    )


def _close_to_kinks(case, close):
    """Filter 0 has a tie within `close` in a window of the first image, filter 1 a maximum so close to 0."""
    p = {name: block.copy() for name, block in case.params.items()}
    X, y = case.args
    X, conv = X.copy(), fastgrad.Conv2D(1, 2, 3)
    p["0.bias"][0] += 3.0  # all of the filter's units are on

    def outputs():
        return conv.forward({"weight": p["0.weight"], "bias": p["0.bias"]}, X)

    top = outputs()[0, 0, :2, :2]
    X[0, 0, 0, 0] += (top.max() + 0.1 - top[0, 0]) / p["0.weight"][
        0, 0, 0, 0
    ]  # the window's first is largest
    top = outputs()[0, 0, :2, :2]
    X[0, 0, 3, 3] += (top[0, 0] + close - top[1, 1]) / p["0.weight"][0, 0, 2, 2]  # and its last as large
    p["0.bias"][1] += close - outputs()[1, 1, :2, :2].max()
    return Case(case.name, case.cost, case.gradient, p, (X, y), "a tie, and a relu at 0", FORCED)


KINKS = list(kink_cases())
