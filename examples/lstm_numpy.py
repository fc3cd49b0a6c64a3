"""An LSTM in NumPy with back-propagation through time by hand, right and with one line wrong.

python examples/lstm_numpy.py
"""

from __future__ import annotations

import sys

import numpy as np

import fastgrad


def sigmoid(z):
    """1 / (1 + exp(-z)), entry by entry."""
    return 1 / (1 + np.exp(-z))


def forward(p, X):
    """Run through the sequence X (steps, batch, inputs); keep what back-propagation needs."""
    batch, units = X.shape[1], p["U"].shape[0]
    h, c = np.zeros((batch, units)), np.zeros((batch, units))
    kept = []
    for x in X:
        z = x @ p["W"] + h @ p["U"] + p["b"]
        i, f, o = (sigmoid(z[:, k * units : (k + 1) * units]) for k in range(3))
        g = np.tanh(z[:, 3 * units :])
        kept.append((x, h, c, i, f, o, g))
        c = f * c + i * g
        h = o * np.tanh(c)
    return h, c, kept


def cost(p, X, Y):
    """Half the mean square of what is read from the last state."""
    h, _, _ = forward(p, X)
    return 0.5 * np.mean((h @ p["V"] - Y) ** 2)


def gradient(p, X, Y, forgets=True):
    """Back-propagation through time; with forgets=False nothing flows along the cells."""
    h, c, kept = forward(p, X)
    d_out = (h @ p["V"] - Y) / Y.size
    grads = {name: np.zeros_like(value) for name, value in p.items()}
    grads["V"] = h.T @ d_out
    dh, dc = d_out @ p["V"].T, np.zeros_like(c)
    for x, before, c_before, i, f, o, g in reversed(kept):
        t = np.tanh(f * c_before + i * g)
        dc = dc + dh * o * (1 - t**2)
        dz = np.hstack(
            [
                dc * g * i * (1 - i),
                dc * c_before * f * (1 - f),
                dh * t * o * (1 - o),
                dc * i * (1 - g**2),
            ]
        )
        grads["W"] += x.T @ dz
        grads["U"] += before.T @ dz
        grads["b"] += dz.sum(axis=0)
        dh = dz @ p["U"].T
        dc = dc * f if forgets else np.zeros_like(dc)
    return grads


def wrong_gradient(p, X, Y):
    """The planted mistake: `dc = dc * f` is missing, so that nothing flows along the cells."""
    return gradient(p, X, Y, forgets=False)


def main():
    """Print both reports; 0 if the right one agrees, and of the wrong one all but the read-out disagrees."""
    rng = np.random.default_rng(0)
    inputs, units, outputs = 3, 5, 2
    params = {
        "W": rng.normal(size=(inputs, 4 * units)) / 2,
        "U": rng.normal(size=(units, 4 * units)) / 2,
        "b": rng.normal(size=4 * units) / 2,
        "V": rng.normal(size=(units, outputs)),
    }
    data = (rng.normal(size=(6, 8, inputs)), rng.normal(size=(8, outputs)))
    right = fastgrad.check_gradient(cost, gradient, params, args=data)
    wrong = fastgrad.check_gradient(cost, wrong_gradient, params, args=data)
    print(right, wrong, sep="\n\n")
    return 0 if right.passed and {found.block for found in wrong.wrong} == {"W", "U", "b"} else 1


if __name__ == "__main__":
    sys.exit(main())
