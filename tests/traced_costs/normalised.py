"""Batch norm, and a transformer block: layer norm, attention of several heads by einsum, a dense part."""

from __future__ import annotations

import numpy as np

from traced_costs.case import Case
from traced_costs.perceptrons import batch_of, cross_entropy, cross_entropy_slope

EPSILON = 1e-5


def batch_norm_cost(params, X, labels):
    """Dense, batch norm over the samples, relu, dense."""
    z = X @ params["W1"]
    z = (z - z.mean(axis=0)) / np.sqrt(z.var(axis=0) + EPSILON)
    a = np.maximum(0, params["gamma"] * z + params["beta"])
    return cross_entropy(a @ params["W2"], labels)


def batch_norm_gradient(params, X, labels, mistake=False):
    """Its gradient. The mistake: mean and variance are taken for constants."""
    z = X @ params["W1"]
    scale = 1 / np.sqrt(z.var(axis=0) + EPSILON)
    n = (z - z.mean(axis=0)) * scale
    y = params["gamma"] * n + params["beta"]
    a = np.maximum(0, y)
    delta = cross_entropy_slope(a @ params["W2"], labels)
    dy = (delta @ params["W2"].T) * (y > 0)
    dn = dy * params["gamma"]
    dz = dn * scale if mistake else (dn - dn.mean(axis=0) - n * (dn * n).mean(axis=0)) * scale
    return {"W1": X.T @ dz, "gamma": (dy * n).sum(axis=0), "beta": dy.sum(axis=0), "W2": a.T @ delta}


def batch_norm(sizes=(4, 5, 3), samples=8):
    """A Case of batch norm."""
    rng = np.random.default_rng(0)
    params = {
        "W1": rng.normal(size=sizes[:2]),
        "gamma": 1 + 0.1 * rng.normal(size=sizes[1]),
        "beta": 0.1 * rng.normal(size=sizes[1]),
        "W2": rng.normal(size=sizes[1:]),
    }
    return Case("batch norm", batch_norm_cost, batch_norm_gradient, params, batch_of(sizes, samples))


def layer_norm(x, gamma, beta):
    """Each token to mean 0 and variance 1, scaled and shifted."""
    mean = np.mean(x, axis=-1, keepdims=True)
    return gamma * (x - mean) / np.sqrt(np.var(x, axis=-1, keepdims=True) + EPSILON) + beta


def layer_norm_slopes(x, gamma, dy):
    """The derivatives by x, gamma and beta."""
    scale = 1 / np.sqrt(np.var(x, axis=-1, keepdims=True) + EPSILON)
    n = (x - x.mean(axis=-1, keepdims=True)) * scale
    dn = dy * gamma
    dx = (dn - dn.mean(axis=-1, keepdims=True) - n * (dn * n).mean(axis=-1, keepdims=True)) * scale
    return dx, (dy * n).sum(axis=(0, 1)), dy.sum(axis=(0, 1))


def softmax(s):
    """Of the last axis."""
    e = np.exp(s - s.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def attention(params, x):
    """Heads (batch, tokens, heads, size) by einsum, and what back-propagation needs of them."""
    q = np.einsum("btd,dhk->bthk", x, params["Wq"])
    k = np.einsum("btd,dhk->bthk", x, params["Wk"])
    v = np.einsum("btd,dhk->bthk", x, params["Wv"])
    p = softmax(np.einsum("bthk,bshk->bhts", q, k) / np.sqrt(q.shape[-1]))
    mixed = np.einsum("bhts,bshk->bthk", p, v)
    return np.einsum("bthk,hkd->btd", mixed, params["Wo"]), (q, k, v, p, mixed)


def block_cost(params, x, target):
    """A transformer block, and the mean of squares."""
    a, _ = attention(params, layer_norm(x, params["g1"], params["c1"]))
    y = x + a
    hidden = np.tanh(layer_norm(y, params["g2"], params["c2"]) @ params["W1"] + params["b1"])
    out = y + hidden @ params["W2"] + params["b2"]
    return np.mean((out - target) ** 2)


def block_gradient(params, x, target, mistake=False):
    """Its gradient. The mistake: the keys' derivative lacks the scale of the scores."""
    n1 = layer_norm(x, params["g1"], params["c1"])
    a, kept = attention(params, n1)
    y = x + a
    n2 = layer_norm(y, params["g2"], params["c2"])
    hidden = np.tanh(n2 @ params["W1"] + params["b1"])
    out = y + hidden @ params["W2"] + params["b2"]
    d_out = 2 * (out - target) / out.size
    dz = (d_out @ params["W2"].T) * (1 - hidden**2)
    found = {
        "W2": np.einsum("bti,btj->ij", hidden, d_out),
        "b2": d_out.sum(axis=(0, 1)),
        "W1": np.einsum("bti,btj->ij", n2, dz),
        "b1": dz.sum(axis=(0, 1)),
    }
    dy, found["g2"], found["c2"] = layer_norm_slopes(y, params["g2"], dz @ params["W1"].T)
    dn, slopes = attention_slopes(params, n1, kept, d_out + dy, mistake)
    _, found["g1"], found["c1"] = layer_norm_slopes(x, params["g1"], dn)
    found |= slopes
    return {name: found[name] for name in params}


def attention_slopes(params, x, kept, da, mistake):
    """The derivatives by x and by the four projections."""
    q, k, v, p, mixed = kept
    scale = 1 / np.sqrt(q.shape[-1])
    dm = np.einsum("btd,hkd->bthk", da, params["Wo"])
    dp = np.einsum("bthk,bshk->bhts", dm, v)
    ds = p * (dp - (dp * p).sum(axis=-1, keepdims=True))
    dq = scale * np.einsum("bhts,bshk->bthk", ds, k)
    dk = (1.0 if mistake else scale) * np.einsum("bhts,bthk->bshk", ds, q)
    dv = np.einsum("bhts,bthk->bshk", p, dm)
    slopes = {"Wo": np.einsum("bthk,btd->hkd", mixed, da)}
    dx = np.zeros_like(x)
    for name, d in (("Wq", dq), ("Wk", dk), ("Wv", dv)):
        slopes[name] = np.einsum("btd,bthk->dhk", x, d)
        dx += np.einsum("bthk,dhk->btd", d, params[name])
    return dx, slopes


def transformer(width=4, heads=2, tokens=3, batch=2, inner=6):
    """A Case of a transformer block."""
    rng = np.random.default_rng(0)
    size = width // heads
    params = {
        "g1": 1 + 0.1 * rng.normal(size=width),
        "c1": 0.1 * rng.normal(size=width),
        **{name: rng.normal(size=(width, heads, size)) / np.sqrt(width) for name in ("Wq", "Wk", "Wv")},
        "Wo": rng.normal(size=(heads, size, width)) / np.sqrt(width),
        "g2": 1 + 0.1 * rng.normal(size=width),
        "c2": 0.1 * rng.normal(size=width),
        "W1": rng.normal(size=(width, inner)) / np.sqrt(width),
        "b1": 0.1 * rng.normal(size=inner),
        "W2": rng.normal(size=(inner, width)) / np.sqrt(inner),
        "b2": 0.1 * rng.normal(size=width),
    }
    args = (rng.normal(size=(batch, tokens, width)), rng.normal(size=(batch, tokens, width)))
    return Case("transformer block", block_cost, block_gradient, params, args)


CASES = [batch_norm(), transformer()]
