"""Convolutions in NumPy: loops over windows, and products with windows laid out in rows (im2col)."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from traced_costs.case import Case
from traced_costs.perceptrons import cross_entropy, cross_entropy_slope

# x: (samples, channels, height, width); kernels: (filters, channels, 3, 3)


def convolved_by_loops(x, kernels, bias):
    """Windows one by one, as lecture notes write it."""
    n, _, height, width = x.shape
    filters, _, kh, kw = kernels.shape
    out = np.zeros((n, filters, height - kh + 1, width - kw + 1))
    for i in range(height - kh + 1):
        for j in range(width - kw + 1):
            window = x[:, :, i : i + kh, j : j + kw]
            for f in range(filters):
                out[:, f, i, j] = np.sum(window * kernels[f], axis=(1, 2, 3)) + bias[f]
    return out


def loops_cost(params, x, labels):
    """A convolution by loops, tanh, a dense layer."""
    a = np.tanh(convolved_by_loops(x, params["kernels"], params["bias"]))
    scores = a.reshape(len(x), -1) @ params["W"]
    return cross_entropy(scores, labels)


def loops_gradient(params, x, labels, mistake=False):
    """Its gradient, by the same loops. The mistake: the last column of windows is left out."""
    kernels = params["kernels"]
    a = np.tanh(convolved_by_loops(x, kernels, params["bias"]))
    flat = a.reshape(len(x), -1)
    delta = cross_entropy_slope(flat @ params["W"], labels)
    dz = (delta @ params["W"].T).reshape(a.shape) * (1 - a**2)
    dk = np.zeros_like(kernels)
    rows, columns = a.shape[2:]
    for i in range(rows):
        for j in range(columns - 1 if mistake else columns):
            window = x[:, :, i : i + 3, j : j + 3]
            dk += np.einsum("nf,ncij->fcij", dz[:, :, i, j], window)
    return {"kernels": dk, "bias": dz.sum(axis=(0, 2, 3)), "W": flat.T @ delta}


def im2col(x):
    """(samples * height' * width', channels * 9) windows in rows."""
    windows = sliding_window_view(x, (3, 3), axis=(2, 3)).transpose(0, 2, 3, 1, 4, 5)
    return windows.reshape(-1, x.shape[1] * 9)


def convolved(x, kernels, bias):
    """A convolution as one product."""
    n, _, height, width = x.shape
    z = im2col(x) @ kernels.reshape(len(kernels), -1).T + bias
    return z.reshape(n, height - 2, width - 2, len(kernels)).transpose(0, 3, 1, 2)


def im2col_cost(params, x, labels):
    """Two convolutions and a dense layer."""
    a = np.tanh(convolved(x, params["K1"], params["b1"]))
    a = np.tanh(convolved(a, params["K2"], params["b2"]))
    return cross_entropy(a.reshape(len(x), -1) @ params["W"] + params["b"], labels)


def im2col_gradient(params, x, labels, mistake=False):
    """Its gradient. The mistake: kernels are not turned when the derivative is passed back."""
    a1 = np.tanh(convolved(x, params["K1"], params["b1"]))
    a2 = np.tanh(convolved(a1, params["K2"], params["b2"]))
    flat = a2.reshape(len(x), -1)
    delta = cross_entropy_slope(flat @ params["W"] + params["b"], labels)
    dz2 = (delta @ params["W"].T).reshape(a2.shape) * (1 - a2**2)
    padded = np.pad(dz2, ((0, 0), (0, 0), (2, 2), (2, 2)))
    turned = params["K2"] if mistake else params["K2"][:, :, ::-1, ::-1]
    dz1 = convolved(padded, turned.transpose(1, 0, 2, 3), 0.0) * (1 - a1**2)
    return {
        **kernel_slopes("1", x, dz1, params["K1"]),
        **kernel_slopes("2", a1, dz2, params["K2"]),
        "W": flat.T @ delta,
        "b": delta.sum(axis=0),
    }


def kernel_slopes(name, x, dz, kernels):
    """The derivatives by kernels and bias."""
    rows = dz.transpose(0, 2, 3, 1).reshape(-1, len(kernels))
    return {"K" + name: (rows.T @ im2col(x)).reshape(kernels.shape), "b" + name: rows.sum(axis=0)}


def by_loops():
    """A Case of loops over windows."""
    rng = np.random.default_rng(0)
    params = {
        "kernels": 0.3 * rng.normal(size=(2, 2, 3, 3)),
        "bias": 0.1 * rng.normal(size=2),
        "W": 0.3 * rng.normal(size=(2 * 3 * 3, 3)),
    }
    args = (rng.normal(size=(3, 2, 5, 5)), rng.integers(0, 3, 3))
    return Case("convolution by loops", loops_cost, loops_gradient, params, args)


def by_im2col(size=7, filters=(2, 3), samples=3, classes=3):
    """A Case of im2col."""
    rng = np.random.default_rng(0)
    first, second = filters
    dense = second * (size - 4) ** 2
    params = {
        "K1": rng.normal(size=(first, 1, 3, 3)) / 3,
        "b1": 0.1 * rng.normal(size=first),
        "K2": rng.normal(size=(second, first, 3, 3)) / np.sqrt(9 * first),
        "b2": 0.1 * rng.normal(size=second),
        "W": rng.normal(size=(dense, classes)) / np.sqrt(dense),
        "b": 0.1 * rng.normal(size=classes),
    }
    args = (rng.normal(size=(samples, 1, size, size)), rng.integers(0, classes, samples))
    return Case("convolution by im2col", im2col_cost, im2col_gradient, params, args)


CASES = [by_loops(), by_im2col()]
