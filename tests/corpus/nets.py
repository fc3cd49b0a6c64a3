"""Networks written out in NumPy, as people write them; each bug stands beside the right line.

Notation: n samples, a = activation of a layer, d = derivative of the cost by its input (the delta).
"""

from __future__ import annotations

import numpy as np

from corpus.cases import Case


def softmax(z):
    """Row by row."""
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def log_softmax(z):
    """Row by row."""
    z = z - z.max(axis=-1, keepdims=True)
    return z - np.log(np.exp(z).sum(axis=-1, keepdims=True))


def sigmoid(z):
    """The logistic function."""
    return 1 / (1 + np.exp(-z))


# A tanh layer and a linear one, half squared error per sample, L2 on the weights.


def mlp2(p, X, Y, l2):
    """The cost."""
    a = np.tanh(X @ p["W1"] + p["b1"])
    e = a @ p["W2"] + p["b2"] - Y
    return 0.5 * np.sum(e**2) / len(X) + 0.5 * l2 * (np.sum(p["W1"] ** 2) + np.sum(p["W2"] ** 2))


def mlp2_gradient(p, X, Y, l2, bug=""):
    """Its gradient, or one with a bug."""
    a = np.tanh(X @ p["W1"] + p["b1"])
    e = (a @ p["W2"] + p["b2"] - Y) / (1 if bug == "forgot 1/n" else len(X))
    slope = 1 - a**2
    if bug == "slope 1 - a":
        slope = 1 - a
    elif bug == "slope of the sigmoid":
        slope = a * (1 - a)
    elif bug == "slope of the pre-activation":
        slope = 1 - (X @ p["W1"] + p["b1"]) ** 2
    elif bug == "no slope":
        slope = np.ones_like(a)
    W2 = np.roll(p["W2"], 1, axis=0) if bug == "rows of W2 shifted on the way back" else p["W2"]
    d = (e @ W2.T) * slope
    penalty = {"no L2": 0.0, "L2 twice": 2 * l2, "L2 with the wrong sign": -l2}.get(bug, l2)
    g = {
        "W1": X.T @ d + penalty * p["W1"],
        "b1": d.sum(axis=0),
        "W2": a.T @ e + (0.0 if bug == "no L2 in the last layer" else penalty) * p["W2"],
        "b2": e.sum(axis=0),
    }
    if bug == "L2 on a bias":
        g["b1"] = g["b1"] + l2 * p["b1"]
    elif bug == "bias of the first sample":
        g["b1"] = d[0]
    elif bug == "bias by the mean":
        g["b2"] = e.mean(axis=0)
    elif bug == "last weights see the pre-activation":
        g["W2"] = (X @ p["W1"] + p["b1"]).T @ e + penalty * p["W2"]
    elif bug == "last sample left out":
        g["W1"] = X[:-1].T @ d[:-1] + penalty * p["W1"]
    return g


def mlp2_case(name="tanh net", seed=1, dtype=np.float64, n=12, sizes=(4, 6, 3)):
    """Two layers."""
    rng = np.random.default_rng(seed)
    i, h, o = sizes
    X, Y = rng.normal(size=(n, i)).astype(dtype), rng.normal(size=(n, o)).astype(dtype)
    p = {
        "W1": (rng.normal(size=(i, h)) * 0.6).astype(dtype),
        "b1": (rng.normal(size=h) * 0.3).astype(dtype),
        "W2": (rng.normal(size=(h, o)) * 0.6).astype(dtype),
        "b2": (rng.normal(size=o) * 0.3).astype(dtype),
    }
    return Case(name, mlp2, mlp2_gradient, p, (X, Y, dtype(0.05)))


# Three layers: square hidden weights, that a transpose does not betray, and softmax cross entropy.


def mlp3(p, X, y):
    """The cost."""
    a = np.tanh(X @ p[0][0] + p[0][1])
    b = np.tanh(a @ p[1][0] + p[1][1])
    return -np.mean(log_softmax(b @ p[2][0] + p[2][1])[np.arange(len(y)), y])


def mlp3_gradient(p, X, y, bug=""):
    """Its gradient, or one with a bug."""
    a = np.tanh(X @ p[0][0] + p[0][1])
    b = np.tanh(a @ p[1][0] + p[1][1])
    q = softmax(b @ p[2][0] + p[2][1])
    if bug == "labels moved by one":
        y = np.roll(y, 1)
    if bug == "one-hot left out":
        d3 = q.copy()
    elif bug == "softmax multiplied in once more":
        d3 = (q - np.eye(q.shape[1])[y]) * q
    else:
        d3 = q - np.eye(q.shape[1])[y]
    d3 = d3 / len(y)
    d2 = (d3 @ p[2][0].T) * (1 - b**2)
    back = p[1][0] if bug == "square weight not transposed" else p[1][0].T
    d1 = (d2 @ back) * (1 - (b if bug == "slope of the next layer" else a) ** 2)
    g = [
        (X.T @ d1, d1.sum(axis=0)),
        (a.T @ d2, d2.sum(axis=0)),
        (b.T @ d3, d3.sum(axis=0)),
    ]
    if bug == "gradient of the square weight transposed":
        g[1] = (d2.T @ a, g[1][1])
    elif bug == "middle layer sees its own output":
        g[1] = (b.T @ d2, g[1][1])
    elif bug == "two biases swapped":
        g[0], g[1] = (g[0][0], g[1][1]), (g[1][0], g[0][1])
    return g


def mlp3_case(name="deep tanh net", seed=2, dtype=np.float64):
    """Three layers; the hidden ones are of one size."""
    rng = np.random.default_rng(seed)
    X, y = rng.normal(size=(15, 5)).astype(dtype), rng.integers(0, 4, 15)
    sizes = ((5, 5), (5, 5), (5, 4))
    p = [
        ((rng.normal(size=s) * 0.7).astype(dtype), (rng.normal(size=s[1]) * 0.3).astype(dtype)) for s in sizes
    ]
    return Case(name, mlp3, mlp3_gradient, p, (X, y))


# A classifier by softmax alone.


def classifier(p, X, y, l2):
    """The cost."""
    z = X @ p["W"] + p["b"]
    return -np.mean(log_softmax(z)[np.arange(len(y)), y]) + 0.5 * l2 * np.sum(p["W"] ** 2)


def classifier_gradient(p, X, y, l2, bug=""):
    """Its gradient, or one with a bug."""
    q = softmax(X @ p["W"] + p["b"])
    onehot = np.eye(q.shape[1], dtype=q.dtype)[y]
    n = len(y)
    if bug == "softmax without the off-diagonal terms":
        d = -onehot * (1 - q) / n
    elif bug == "softmax over samples":
        d = (softmax((X @ p["W"] + p["b"]).T).T - onehot) / n
    elif bug == "gradient of the squared error":
        d = (q - onehot) * q * (1 - q) / n
    elif bug == "divided by n times classes":
        d = (q - onehot) / onehot.size
    elif bug == "clipped":
        d = np.clip((q - onehot) / n, -0.03, 0.03)
    else:
        d = (q - onehot) / n
    return {"W": X.T @ d + l2 * p["W"], "b": d.sum(axis=0)}


def classifier_case(name="softmax classifier", seed=3, dtype=np.float64, spread=1.0):
    """Four classes of five features."""
    rng = np.random.default_rng(seed)
    X, y = rng.normal(size=(20, 5)).astype(dtype), rng.integers(0, 4, 20)
    p = {
        "W": (spread * rng.normal(size=(5, 4))).astype(dtype),
        "b": (spread * rng.normal(size=4)).astype(dtype),
    }
    return Case(name, classifier, classifier_gradient, p, (X, y, dtype(0.01)))


# Recurrent: back-propagation through time.


def recurrent(p, X, Y):
    """X (steps, samples, inputs); the cost looks at each step's output."""
    h, total = np.zeros((X.shape[1], p["U"].shape[0])), 0.0
    for x, y in zip(X, Y, strict=True):
        h = np.tanh(x @ p["W"] + h @ p["U"] + p["b"])
        total += 0.5 * np.sum((h @ p["V"] - y) ** 2)
    return total


def recurrent_gradient(p, X, Y, bug=""):
    """Its gradient, or one with a bug."""
    hs = [np.zeros((X.shape[1], p["U"].shape[0]))]
    for x in X:
        hs.append(np.tanh(x @ p["W"] + hs[-1] @ p["U"] + p["b"]))
    g = {name: np.zeros_like(block) for name, block in p.items()}
    carried = np.zeros_like(hs[0])
    for t in reversed(range(len(X))):
        e = hs[t + 1] @ p["V"] - Y[t]
        g["V"] += hs[t + 1].T @ e
        d = (e @ p["V"].T + carried) * (1 - hs[t + 1] ** 2)
        if bug == "last step only" and t < len(X) - 1:
            break
        g["W"] += X[t].T @ d
        g["U"] += hs[t + (bug == "state of the wrong step")].T @ d
        g["b"] += d.sum(axis=0)
        carried = d @ (p["U"] if bug == "recurrent weight not transposed" else p["U"].T)
        if bug == "truncated":
            carried = np.zeros_like(carried)
    return g


# Attention: one head over a short sequence.


def attention(p, X, Y):
    """X (tokens, features)."""
    q, k, v = X @ p["Q"], X @ p["K"], X @ p["V"]
    a = softmax(q @ k.T / np.sqrt(q.shape[1]))
    return 0.5 * np.sum((a @ v - Y) ** 2)


def attention_gradient(p, X, Y, bug=""):
    """Its gradient, or one with a bug."""
    q, k, v = X @ p["Q"], X @ p["K"], X @ p["V"]
    root = np.sqrt(q.shape[1])
    a = softmax(q @ k.T / root)
    e = a @ v - Y
    da = e @ v.T
    ds = a * (da - np.sum(da * a, axis=1, keepdims=True))
    if bug == "softmax backward without its mean":
        ds = a * da
    elif bug == "mean over the wrong axis":
        ds = a * (da - np.sum(da * a, axis=0, keepdims=True))
    ds = ds / (1 if bug == "forgot the root" else root)
    if bug == "queries and keys swapped":
        return {"Q": X.T @ ds.T @ q, "K": X.T @ ds @ k, "V": X.T @ a.T @ e}
    return {
        "Q": X.T @ ds @ k,
        "K": X.T @ (ds if bug == "scores not transposed" else ds.T) @ q,
        "V": X.T @ (a if bug == "attention not transposed" else a.T) @ e,
    }


def attention_case():
    """Six tokens."""
    rng = np.random.default_rng(4)
    X, Y = rng.normal(size=(6, 4)), rng.normal(size=(6, 3))
    return Case(
        "attention", attention, attention_gradient, {c: rng.normal(size=(4, 3)) for c in "QKV"}, (X, Y)
    )


# Batch normalisation in training mode, between two dense layers.


def normalised(p, X, Y):
    """The cost."""
    z = X @ p["W1"] + p["b1"]
    s = np.sqrt(z.var(axis=0) + 1e-5)
    u = (z - z.mean(axis=0)) / s
    return 0.5 * np.mean(np.sum((np.tanh(p["scale"] * u + p["shift"]) @ p["W2"] - Y) ** 2, axis=1))


def normalised_gradient(p, X, Y, bug=""):
    """Its gradient, or one with a bug."""
    z = X @ p["W1"] + p["b1"]
    s = np.sqrt(z.var(axis=0, ddof=int(bug == "variance with n - 1")) + 1e-5)
    u = (z - z.mean(axis=0)) / s
    a = np.tanh(p["scale"] * u + p["shift"])
    e = (a @ p["W2"] - Y) / len(X)
    dy = (e @ p["W2"].T) * (1 - a**2)
    du = dy if bug == "scale left out on the way back" else dy * p["scale"]
    mean, through = du.mean(axis=0), u * np.mean(du * u, axis=0)
    if bug == "statistics taken for constants":
        mean, through = 0.0, 0.0
    elif bug == "no variance term":
        through = 0.0
    elif bug == "no mean term":
        mean = 0.0
    dz = (du - mean - through) / (1.0 if bug == "not divided by the deviation" else s)
    scale = np.sum(dy, axis=0) if bug == "scale like shift" else np.sum(dy * u, axis=0)
    db = dz.sum(axis=0) if bug else np.zeros_like(p["b1"])  # the mean takes a bias out again
    return {"W1": X.T @ dz, "b1": db, "scale": scale, "shift": dy.sum(axis=0), "W2": a.T @ e}


def normalised_case():
    """The bias before the normalisation does nothing: its gradient is zero."""
    rng = np.random.default_rng(5)
    X, Y = rng.normal(size=(10, 4)), rng.normal(size=(10, 2))
    p = {
        "W1": rng.normal(size=(4, 5)),
        "b1": rng.normal(size=5),
        "scale": rng.uniform(0.5, 1.5, 5),
        "shift": rng.normal(size=5),
        "W2": rng.normal(size=(5, 2)),
    }
    return Case("batch norm", normalised, normalised_gradient, p, (X, Y), "a block of zero gradient")


# An autoencoder with tied weights: W is used twice.


def autoencoder(p, X):
    """The cost."""
    a = sigmoid(X @ p["W"] + p["b"])
    return 0.5 * np.sum((a @ p["W"].T + p["c"] - X) ** 2) / len(X)


def autoencoder_gradient(p, X, bug=""):
    """Its gradient, or one with a bug."""
    a = sigmoid(X @ p["W"] + p["b"])
    e = (a @ p["W"].T + p["c"] - X) / len(X)
    d = (e @ p["W"]) * a * (1 - a)
    encoder, decoder = X.T @ d, e.T @ a
    W = {"decoder's share forgotten": encoder, "encoder's share forgotten": decoder}.get(
        bug, encoder + decoder
    )
    return {"W": W, "b": d.sum(axis=0), "c": e.sum(axis=0)}


def autoencoder_case():
    """Five inputs, three units."""
    rng = np.random.default_rng(6)
    p = {"W": rng.normal(size=(5, 3)), "b": rng.normal(size=3), "c": rng.normal(size=5)}
    return Case("tied autoencoder", autoencoder, autoencoder_gradient, p, (rng.normal(size=(11, 5)),))


# Dropout with a fixed mask.


def dropped(p, X, Y, mask):
    """The cost."""
    a = np.tanh(X @ p["W1"]) * mask / 0.6
    return 0.5 * np.sum((a @ p["W2"] - Y) ** 2)


def dropped_gradient(p, X, Y, mask, bug=""):
    """Its gradient, or one with a bug."""
    a = np.tanh(X @ p["W1"])
    e = a * mask / 0.6 @ p["W2"] - Y
    da = e @ p["W2"].T * mask / 0.6
    if bug == "mask not applied on the way back":
        da = e @ p["W2"].T / 0.6
    elif bug == "not rescaled on the way back":
        da = e @ p["W2"].T * mask
    elif bug == "mask of another draw":
        da = e @ p["W2"].T * np.roll(mask, 1, axis=0) / 0.6
    return {"W1": X.T @ (da * (1 - a**2)), "W2": (a * mask / 0.6).T @ e}


def dropped_case():
    """Half of the units are dropped."""
    rng = np.random.default_rng(7)
    X, Y, mask = rng.normal(size=(9, 4)), rng.normal(size=(9, 2)), rng.random((9, 6)) < 0.6
    p = {"W1": rng.normal(size=(4, 6)), "W2": rng.normal(size=(6, 2))}
    return Case("dropout", dropped, dropped_gradient, p, (X, Y, mask))


# A one-dimensional convolution.


def convolved(p, X, Y):
    """X (samples, length); a filter, a tanh, a readout."""
    windows = np.lib.stride_tricks.sliding_window_view(X, len(p["filter"]), axis=1)
    a = np.tanh(windows @ p["filter"] + p["bias"][0])
    return 0.5 * np.mean((a @ p["readout"] - Y) ** 2)


def convolved_gradient(p, X, Y, bug=""):
    """Its gradient, or one with a bug."""
    windows = np.lib.stride_tricks.sliding_window_view(X, len(p["filter"]), axis=1)
    a = np.tanh(windows @ p["filter"] + p["bias"][0])
    e = (a @ p["readout"] - Y) / len(X)
    d = e[:, None] * p["readout"] * (1 - a**2)
    g = np.einsum("nt,ntk->k", d, windows)
    if bug == "filter flipped":
        g = g[::-1].copy()
    elif bug == "last window forgotten":
        g = np.einsum("nt,ntk->k", d[:, :-1], windows[:, :-1])
    elif bug == "windows off by one":
        g = np.einsum("nt,ntk->k", d[:, 1:], windows[:, :-1])
    bias = d.mean() if bug == "bias by the mean" else d.sum()
    return {"filter": g, "bias": np.array([bias]), "readout": a.T @ e}


def convolved_case():
    """A filter of four over twelve."""
    rng = np.random.default_rng(8)
    p = {"filter": rng.normal(size=4), "bias": rng.normal(size=1), "readout": rng.normal(size=9)}
    return Case(
        "convolution", convolved, convolved_gradient, p, (rng.normal(size=(6, 12)), rng.normal(size=6))
    )


def recurrent_case():
    """Five steps."""
    rng = np.random.default_rng(9)
    X, Y = rng.normal(size=(5, 3, 2)), rng.normal(size=(5, 3, 2))
    p = {
        "W": rng.normal(size=(2, 4)),
        "U": 0.6 * rng.normal(size=(4, 4)),
        "b": rng.normal(size=4),
        "V": rng.normal(size=(4, 2)),
    }
    return Case("recurrent net", recurrent, recurrent_gradient, p, (X, Y), "weights used at every step")


BUGS = {
    mlp2_case: (
        "forgot 1/n",
        "slope 1 - a",
        "slope of the sigmoid",
        "slope of the pre-activation",
        "no slope",
        "rows of W2 shifted on the way back",
        "no L2",
        "L2 twice",
        "L2 with the wrong sign",
        "no L2 in the last layer",
        "L2 on a bias",
        "bias of the first sample",
        "bias by the mean",
        "last weights see the pre-activation",
        "last sample left out",
    ),
    mlp3_case: (
        "labels moved by one",
        "one-hot left out",
        "softmax multiplied in once more",
        "square weight not transposed",
        "slope of the next layer",
        "gradient of the square weight transposed",
        "middle layer sees its own output",
        "two biases swapped",
    ),
    classifier_case: (
        "softmax without the off-diagonal terms",
        "softmax over samples",
        "gradient of the squared error",
        "divided by n times classes",
        "clipped",
    ),
    recurrent_case: (
        "last step only",
        "state of the wrong step",
        "recurrent weight not transposed",
        "truncated",
    ),
    attention_case: (
        "softmax backward without its mean",
        "mean over the wrong axis",
        "forgot the root",
        "queries and keys swapped",
        "scores not transposed",
        "attention not transposed",
    ),
    normalised_case: (
        "statistics taken for constants",
        "variance with n - 1",
        "scale left out on the way back",
        "no variance term",
        "no mean term",
        "not divided by the deviation",
        "scale like shift",
    ),
    autoencoder_case: ("decoder's share forgotten", "encoder's share forgotten"),
    dropped_case: (
        "mask not applied on the way back",
        "not rescaled on the way back",
        "mask of another draw",
    ),
    convolved_case: ("filter flipped", "last window forgotten", "windows off by one", "bias by the mean"),
}
