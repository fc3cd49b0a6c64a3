"""Recurrent networks with a Python loop over time."""

from __future__ import annotations

import numpy as np

from traced_costs.case import Case

# X: (steps, batch, inputs); Y: (batch, outputs); h: (batch, hidden)


def rnn_cost(params, X, Y):
    """A tanh cell unrolled over time, and half the sum of squares at the end."""
    h = np.zeros((X.shape[1], params["U"].shape[0]))
    for x in X:
        h = np.tanh(x @ params["W"] + h @ params["U"] + params["b"])
    return 0.5 * np.sum((h @ params["V"] - Y) ** 2)


def rnn_gradient(params, X, Y, mistake=False):
    """Back-propagation through time. The mistake: it stops one step early for U."""
    h = np.zeros((X.shape[1], params["U"].shape[0]))
    states = [h]
    for x in X:
        h = np.tanh(x @ params["W"] + h @ params["U"] + params["b"])
        states.append(h)
    e = h @ params["V"] - Y
    found = {name: np.zeros_like(block) for name, block in params.items()}
    found["V"] = h.T @ e
    dh = e @ params["V"].T
    for t in range(len(X) - 1, -1, -1):
        dz = dh * (1 - states[t + 1] ** 2)
        found["W"] += X[t].T @ dz
        if not (mistake and t == 1):
            found["U"] += states[t].T @ dz
        found["b"] += dz.sum(axis=0)
        dh = dz @ params["U"].T
    return found


def sigmoid(z):
    """The logistic function."""
    return 1.0 / (1.0 + np.exp(-z))


def lstm_states(params, X):
    """What back-propagation needs of each step."""
    hidden = params["U"].shape[0]
    h = c = np.zeros((X.shape[1], hidden))
    kept = []
    for x in X:
        z = x @ params["W"] + h @ params["U"] + params["b"]
        i, f, o, g = np.split(z, 4, axis=1)
        i, f, o, g = sigmoid(i), sigmoid(f), sigmoid(o), np.tanh(g)
        before, c = (h, c), f * c + i * g
        h = o * np.tanh(c)
        kept.append((x, *before, i, f, o, g, c))
    return h, kept


def lstm_cost(params, X, Y):
    """An LSTM unrolled over time, and half the sum of squares at the end."""
    hidden = params["U"].shape[0]
    h = np.zeros((X.shape[1], hidden))
    c = np.zeros((X.shape[1], hidden))
    for t in range(len(X)):
        z = X[t] @ params["W"] + h @ params["U"] + params["b"]
        i = sigmoid(z[:, :hidden])
        f = sigmoid(z[:, hidden : 2 * hidden])
        o = sigmoid(z[:, 2 * hidden : 3 * hidden])
        g = np.tanh(z[:, 3 * hidden :])
        c = f * c + i * g
        h = o * np.tanh(c)
    return 0.5 * np.sum((h @ params["V"] - Y) ** 2)


def lstm_gradient(params, X, Y, mistake=False):
    """Back-propagation through time. The mistake: the output gate's slope is that of tanh."""
    h, kept = lstm_states(params, X)
    e = h @ params["V"] - Y
    found = {name: np.zeros_like(block) for name, block in params.items()}
    found["V"] = h.T @ e
    dh, dc = e @ params["V"].T, np.zeros_like(h)
    for x, h0, c0, i, f, o, g, c in reversed(kept):
        t = np.tanh(c)
        dc = dc + dh * o * (1 - t**2)
        slope = (1 - o**2) if mistake else o * (1 - o)
        parts = [dc * g * i * (1 - i), dc * c0 * f * (1 - f), dh * t * slope, dc * i * (1 - g**2)]
        dz = np.concatenate(parts, axis=1)
        found["W"] += x.T @ dz
        found["U"] += h0.T @ dz
        found["b"] += dz.sum(axis=0)
        dh, dc = dz @ params["U"].T, dc * f
    return found


def recurrent(gates, steps, batch, inputs, hidden, outputs):
    """Parameters and data."""
    rng = np.random.default_rng(0)
    params = {
        "W": rng.normal(size=(inputs, gates * hidden)) / np.sqrt(inputs),
        "U": rng.normal(size=(hidden, gates * hidden)) / np.sqrt(hidden),
        "b": 0.1 * rng.normal(size=gates * hidden),
        "V": rng.normal(size=(hidden, outputs)) / np.sqrt(hidden),
    }
    return params, (rng.normal(size=(steps, batch, inputs)), rng.normal(size=(batch, outputs)))


def rnn(steps=5, batch=3, inputs=2, hidden=4, outputs=2):
    """A Case of a tanh cell."""
    params, args = recurrent(1, steps, batch, inputs, hidden, outputs)
    return Case("RNN", rnn_cost, rnn_gradient, params, args)


def lstm(steps=4, batch=3, inputs=2, hidden=3, outputs=2):
    """A Case of an LSTM."""
    params, args = recurrent(4, steps, batch, inputs, hidden, outputs)
    return Case("LSTM", lstm_cost, lstm_gradient, params, args)


CASES = [rnn(), lstm()]
