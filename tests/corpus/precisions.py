"""Where float32 and float64 meet, and costs that are rounded: by decimals, by an offset, near an optimum.

A cost that is known to sigma, with a slope g and steps h, shows a derivative to sigma / (h g) plus what a
step of h bends. `sees` is that with the best h, `floor` the same for entries that are small beside the rms.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np

from corpus import nets
from corpus.cases import Case, flat, unflat
from corpus.digits import by_complex_step, by_digits
from corpus.mixed_units import as_float32, decay, decay_slopes, verified
from corpus.twins import wrong_at, wrong_block

F32 = np.float32


def single(x):
    """As float32; exact numbers stay as they are."""
    return x if x.dtype == object else x.astype(F32)


def double(x):
    """As float64; exact numbers stay as they are."""
    return x if x.dtype == object else x.astype(np.float64)


def uniform(seed, n, low=0.3, high=1.2):
    """Numbers where sines have slopes and bends."""
    return np.random.default_rng(seed).uniform(low, high, n)


WEIGHTS = 10.0 ** np.array([0.0, -1, -2, 0, -1, -2])
"""Entries a hundred times apart."""


def waves(x):
    """Weighted sines."""
    return np.sum(WEIGHTS * np.sin(x))


def waves_gradient(x):
    """Their slopes."""
    return WEIGHTS * np.cos(x)


# float32 parameters of a float64 cost


def narrow_parameters():
    """The cost is known to 1e-16, and steps are at least 1e-7 of a parameter."""
    yield verified(
        "float32 parameters, float64 cost",
        lambda x: np.sum(WEIGHTS * np.sin(double(x))),
        as_float32(waves_gradient),
        uniform(801, 6).astype(F32),
        sees=1e-4,
        exact=1e-6,
    )
    t, y = np.linspace(0, 8e-5, 20), 2.6e4 * np.exp(-np.linspace(0, 8e-5, 20) / 1.8e-5) + 100
    yield verified(
        "decay, float32 parameters, float64 cost",
        lambda p: 0.5 * np.sum((decay(double(p), t) - y) ** 2),
        as_float32(lambda p: np.array(decay_slopes(double(p), t)) @ (decay(double(p), t) - y)),
        np.array([3e4, 2e-5, 120.0], F32),
        sees=1e-4,
        exact=1e-6,
    )
    yield verified(
        "float32 parameters of 1e4, float64 cost of their waves",
        lambda x: np.sum(np.sin(double(x))),
        as_float32(lambda x: np.cos(double(x))),
        (1e4 + uniform(803, 4)).astype(F32),
        sees=1e-3,
        exact=1e-6,
        why="the least step is 1e-3",
    )


# float64 parameters of a cost that is float32 inside


def narrow_costs():
    """The cost is a staircase of 1e-7, in steps of 1e-7 of the parameters."""
    yield verified(
        "float64 parameters, float32 sum of waves",
        lambda x: np.sum(WEIGHTS.astype(F32) * np.sin(single(x))),
        waves_gradient,
        uniform(811, 6),
        sees=1e-2,
        exact=1e-6,
    )
    yield verified(
        "float64 parameters, value cast to float32",
        lambda x: single(np.asarray(waves(x)))[()],
        waves_gradient,
        uniform(812, 6),
        sees=1e-2,
        exact=1e-6,
    )
    rng = np.random.default_rng(813)
    X, y = rng.normal(size=(60, 5)).astype(F32), (rng.random(60) < 0.5).astype(F32)

    def logistic(w):
        z = X @ single(w)
        return np.mean(np.log1p(np.exp(-z)) + (1 - y) * z)

    def logistic_gradient(w):
        z = X.astype(np.float64) @ w
        return X.T.astype(np.float64) @ (1 / (1 + np.exp(-z)) - y) / len(y)

    yield verified(
        "float64 parameters, logistic loss in float32",
        logistic,
        logistic_gradient,
        rng.normal(size=5),
        sees=1e-2,
        exact=1e-6,
    )
    case = nets.mlp2_case(seed=814)

    def cost(p, X, Y, l2):
        return float(
            nets.mlp2({k: v.astype(F32) for k, v in p.items()}, X.astype(F32), Y.astype(F32), F32(l2))
        )

    yield replace(
        case,
        name="float64 parameters, tanh net in float32",
        cost=cost,
        truth=partial(by_complex_step, nets.mlp2, case.params, case.args),
        sees=1e-2,
        floor=1e-3,
        exact=1e-6,
    )


# Claims in float32 of float64 costs


def rounded(gradient):
    """The gradient in float64, rounded to float32."""
    return lambda *args: np.asarray(gradient(*args)).astype(F32).astype(np.float64)


def regression(w, X, y):
    """Half a sum of squares."""
    return 0.5 * np.sum((X @ w - y) ** 2)


def regression_in_float32(w, X, y):
    """Its gradient, computed in float32 and returned as float64."""
    X, y = X.astype(F32), y.astype(F32)
    return (X.T @ (X @ w.astype(F32) - y)).astype(np.float64)


def regression_case(small, **case):
    """Two entries are small beside the others by cancellation: float32 has them to 3e-7 of the others."""
    rng = np.random.default_rng(821)
    X, w = (rng.normal(size=s).astype(F32).astype(np.float64) for s in ((40, 8), 8))
    r = rng.normal(size=40)
    wanted = X.T @ r
    rms = np.sqrt(np.mean(wanted**2))
    wanted[2], wanted[5] = 1e-3 * rms, -small * rms
    r += X @ np.linalg.solve(X.T @ X, wanted - X.T @ r)
    return verified(
        f"regression with an entry of {small:g}, claim computed in float32",
        regression,
        regression_in_float32,
        w,
        (X, X @ w - r),
        why="y is rounded to float32 on the way to the claim",
        sees=1e-3,
        exact=1e-5,
        rounding=1e-6,
        floor=3e-6,
        **case,
    )


def in_float32(case, name, **more):
    """A case whose claim is computed in float32 and returned in float64; the cost stays in float64."""

    def gradient(p, *args):
        low = [a if np.asarray(a).dtype.kind == "i" else np.asarray(a, F32)[()] for a in args]
        return unflat(p, flat(p, unflat_as(case.gradient(unflat_as(p, F32), *low), np.float64)))

    truth = partial(by_complex_step, case.cost, case.params, case.args)
    return replace(case, name=name, gradient=gradient, truth=truth, **more)


def unflat_as(p, dtype):
    """A dict of arrays in another dtype."""
    return {k: v.astype(dtype) for k, v in p.items()}


def narrow_claims():
    """The cost shows each entry to 1e-9, the claim has it to 1e-7 of the largest terms in it."""
    scale = 10.0 ** np.array([0.0, -3, -5, -1, 2])
    yield verified(
        "claim rounded to float32",
        lambda x: np.sum(scale * np.sin(x)),
        rounded(lambda x: scale * np.cos(x)),
        uniform(822, 5),
        sees=1e-5,
        exact=1e-7,
    )
    yield verified(
        "decay, claim rounded to float32",
        lambda p, t: 0.5 * np.sum((decay(p, t) - 3.0 - 1e3 * np.cos(t)) ** 2),
        rounded(lambda p, t: np.array(decay_slopes(p, t)) @ (decay(p, t) - 3.0 - 1e3 * np.cos(t))),
        np.array([2e3, 7.0, 40.0]),
        (np.linspace(0, 20, 15),),
        sees=1e-5,
        exact=1e-7,
    )
    yield regression_case(1e-4)
    yield regression_case(1e-5, reasons=("noise",))
    few = {"sees": 1e-3, "exact": 1e-5, "rounding": 2e-6, "floor": 6e-6}
    yield in_float32(nets.mlp2_case(seed=823), "tanh net, claim computed in float32", **few)
    yield in_float32(
        nets.mlp2_case(seed=824, n=60, sizes=(6, 10, 3)), "tanh net of 60, claim in float32", **few
    )
    yield in_float32(nets.classifier_case(seed=825), "softmax classifier, claim computed in float32", **few)


# Networks in float32


def wide_net(p, X, y):
    """Two layers, softmax cross entropy, in the dtype of the parameters."""
    outputs = np.tanh(X @ p["W1"] + p["b1"]) @ p["W2"] + p["b2"]
    return -nets.log_softmax(outputs)[np.arange(len(y)), y].mean()


def wide_net_gradient(p, X, y):
    """Its gradient by back-propagation."""
    a = np.tanh(X @ p["W1"] + p["b1"])
    d = nets.softmax(a @ p["W2"] + p["b2"])
    d[np.arange(len(y)), y] -= 1
    d = d / d.dtype.type(len(y))
    back = (d @ p["W2"].T) * (1 - a * a)
    return {"W1": X.T @ back, "b1": back.sum(axis=0), "W2": a.T @ d, "b2": d.sum(axis=0)}


def wide_net_truth(p, X, y):
    """Its gradient in float64 by the slope of each sample's loss at each unit."""
    p, X = {k: v.astype(np.float64) for k, v in p.items()}, X.astype(np.float64)
    a = np.tanh(X @ p["W1"] + p["b1"])
    q = nets.softmax(a @ p["W2"] + p["b2"])
    hidden = len(p["b1"])
    by_unit = np.empty((len(y), hidden))
    for k in range(hidden):  # the loss of each sample by the pre-activation of each unit
        moved = (1 - a[:, k] ** 2)[:, None] * p["W2"][k]
        by_unit[:, k] = (q * moved).sum(axis=1) - moved[np.arange(len(y)), y]
    out = np.eye(len(p["b2"]))
    by_output = np.stack([(q @ e) - e[y] for e in out], axis=1)
    W1 = np.einsum("ni,nk->ik", X, by_unit) / len(y)
    W2 = np.einsum("nk,no->ko", a, by_output) / len(y)
    return np.concatenate([W1.ravel(), by_unit.mean(axis=0), W2.ravel(), by_output.mean(axis=0)])


def wide_net_case(sizes=(64, 32, 10), n=128, seed=831):
    """2,410 parameters by default."""
    rng = np.random.default_rng(seed)
    i, h, o = sizes
    p = {
        "W1": rng.normal(size=(i, h)) / np.sqrt(i),
        "b1": 0.1 * rng.normal(size=h),
        "W2": rng.normal(size=(h, o)) / np.sqrt(h),
        "b2": 0.1 * rng.normal(size=o),
    }
    p = unflat_as(p, F32)
    X, y = rng.normal(size=(n, i)).astype(F32), rng.integers(0, o, n)
    return Case(
        f"tanh net {i}-{h}-{o} in float32, {n} samples",
        wide_net,
        wide_net_gradient,
        p,
        (X, y),
        truth=partial(wide_net_truth, p, X, y),
        sees=1e-2,
        floor=1e-2,
        exact=1e-5,
        rounding=1e-5,
    )


def linear_in_float32():
    """Twenty weights, 200 samples."""
    rng = np.random.default_rng(835)
    X, y = rng.normal(size=(200, 20)).astype(F32), (rng.random(200) < 0.5).astype(F32)

    def cost(w, X, y):
        z = X @ w
        return np.mean(np.log1p(np.exp(-z)) + (1 - y) * z)

    def gradient(w, X, y):
        return X.T @ (1 / (1 + np.exp(-(X @ w))) - y) / F32(len(y))

    w = (0.5 * rng.normal(size=20)).astype(F32)
    truth = partial(by_complex_step, cost, w.astype(np.float64), (X.astype(np.float64), y))
    few = {"sees": 1e-2, "floor": 5e-3, "exact": 1e-5, "rounding": 1e-6}
    return Case("logistic regression of 20 weights in float32", cost, gradient, w, (X, y), truth=truth, **few)


# Rounded costs


def rounded_cases():
    """Values that lose digits at the end."""
    x = uniform(841, 6)
    yield verified(
        "rounded to nine decimals",
        lambda x: waves(x) if x.dtype == object else np.round(waves(x), 9),
        waves_gradient,
        x,
        sees=1e-3,
    )
    yield verified(
        "printed with nine digits",
        lambda x: waves(x) if x.dtype == object else float(f"{waves(x):.9g}"),
        waves_gradient,
        x,
        sees=1e-3,
    )
    yield verified(
        "printed with six digits",
        lambda x: waves(x) if x.dtype == object else float(f"{waves(x):.6g}"),
        waves_gradient,
        x,
        sees=0.05,
        why="a sum of 1.5 to 1e-5, an entry of 1e-2",
        reasons=("noise",),
    )
    yield verified("waves above 1e6", lambda x: 1e6 + waves(x), waves_gradient, x, sees=1e-4)
    yield verified(
        "waves above 1e6 in units of 1e-3",
        lambda x: 1e6 + waves(x * 1e3),
        lambda x: 1e3 * waves_gradient(x * 1e3),
        x * 1e-3,
        sees=1e-4,
    )
    yield verified(
        "waves above 1e3 in float32",
        lambda x: np.sum(np.sin(x)) + F32(1e3) if x.dtype != object else np.sum(np.sin(x)),
        np.cos,
        x.astype(F32),
        sees=1e-2,
        exact=1e-6,
    )


# Near an optimum


def rosenbrock(x):
    """Rosenbrock's function of several variables."""
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def rosenbrock_gradient(x):
    """Its gradient."""
    e = x[1:] - x[:-1] ** 2
    g = np.zeros_like(x)
    g[:-1] += -400 * e * x[:-1] - 2 * (1 - x[:-1])
    g[1:] += 200 * e
    return g


def optimum_cases():
    """Points 1e-6 from an optimum whose value is not zero, and from one whose value is."""
    rng = np.random.default_rng(851)
    off = 1e-6 * rng.uniform(0.5, 1.5, 5) * rng.choice([-1, 1], 5)
    yield verified(
        "Rosenbrock 1e-6 from its minimum", rosenbrock, rosenbrock_gradient, 1 + off, sees=1e-4, exact=1e-7
    )
    X, y = rng.normal(size=(25, 5)), rng.normal(size=25)
    best = np.linalg.solve(X.T @ X, X.T @ y)
    yield verified(
        "least squares 1e-6 from its minimum",
        regression,
        lambda w, X, y: X.T @ (X @ w - y),
        best + off,
        (X, y),
        sees=1e-3,
        exact=1e-7,
        why="the minimum is 10: steps of 1e-2 leave 1e-7 of a gradient of 1e-5",
    )
    sample = rng.normal(3.0, 2.0, 30)

    def likelihood(p):
        return np.sum(p[1] + 0.5 * ((sample - p[0]) * np.exp(-p[1])) ** 2)

    def score(p):
        u = (sample - p[0]) * np.exp(-p[1])
        return np.array([-np.sum(u) * np.exp(-p[1]), np.sum(1 - u**2)])

    peak = np.array([sample.mean() + 2e-6, np.log(sample.std()) - 1e-6])
    yield verified("normal likelihood 1e-6 from its peak", likelihood, score, peak, sees=1e-2, exact=1e-7)


# float32 data


def data_cases():
    """Data in float32 are constants like others."""
    rng = np.random.default_rng(861)
    X, y = rng.normal(size=(30, 4)).astype(F32), rng.normal(size=30).astype(F32)
    X = X * np.array([1, 1e-2, 1e2, 1], F32)
    yield verified(
        "float32 data, float64 parameters",
        lambda w: 0.5 * np.sum((X @ w - y) ** 2),
        lambda w: X.T @ (X @ w - y),
        rng.normal(size=4),
        sees=1e-5,
        exact=1e-9,
    )
    yield verified(
        "float32 data, float64 parameters, claim rounded",
        lambda w: np.sum(np.log1p((X @ w - y) ** 2)),
        lambda w: rounded(lambda w: X.T @ (2 * (X @ w - y) / (1 + (X @ w - y) ** 2)))(w),
        rng.normal(size=4),
        sees=1e-5,
        exact=2e-7,
    )
    mixed = {"a": uniform(862, 3), "b": uniform(863, 3).astype(F32)}
    yield Case(
        "float32 block of 1e-3 beside a float64 one",
        lambda p: np.sum(np.sin(p["a"])) + 1e-3 * np.sum(p["a"] * double(p["b"]) ** 2),
        lambda p: {
            "a": np.cos(p["a"]) + 1e-3 * double(p["b"]) ** 2,
            "b": (2e-3 * p["a"] * double(p["b"])).astype(F32),
        },
        mixed,
        truth=lambda: by_digits(
            lambda p: np.sum(np.sin(p["a"])) + 1e-3 * np.sum(p["a"] * p["b"] ** 2), mixed
        ),
        sees=1e-4,
        exact=1e-6,
    )


SMALL_VECTORS = [
    *narrow_parameters(),
    *narrow_costs(),
    *narrow_claims(),
    *rounded_cases(),
    *optimum_cases(),
    *data_cases(),
]

LINEAR = linear_in_float32()

NET = wide_net_case()

RIGHT = [*SMALL_VECTORS, LINEAR, NET]


def wrong_vectors():
    """The smallest and the largest entry, off by what can be seen of them."""
    for case in SMALL_VECTORS:
        g = np.abs(case.right_gradient())
        small, large = int(np.argmin(g)), int(np.argmax(g))
        yield from (wrong_at(case, small, bug) for bug in ("zero", "with the other sign"))
        yield wrong_at(case, small if case.floor == 0 and case.sees < 0.02 else large, "off by 20%")
        yield wrong_at(case, large, "off by 10%" if case.sees < 0.02 else "doubled")


def wrong_nets():
    """Layers and single entries of networks in float32."""
    yield wrong_block(NET, "W1", "off by 20%")
    yield wrong_block(NET, "W2", "with the other sign")
    yield wrong_block(NET, "b1", "doubled")
    largest = int(np.argmax(np.abs(NET.right_gradient())))
    yield wrong_at(NET, largest, "off by 10%")
    largest = int(np.argmax(np.abs(LINEAR.right_gradient())))
    yield wrong_at(LINEAR, largest, "off by 10%")
    yield wrong_at(LINEAR, np.arange(20), "off by 20%", "all entries")
    yield wrong_at(LINEAR, np.arange(10), "with the other sign", "half the entries")


WRONG = [*wrong_vectors(), *wrong_nets()]
