"""Recorded costs for tests: engines by the shortest way, and the plain cost's values beside theirs."""

import numpy as np

from fastgrad.engines.python import PythonEngine
from fastgrad.engines.traced.batch import Batch
from fastgrad.engines.traced.choose import recorded_engine
from fastgrad.engines.traced.recorder import record
from fastgrad.problem.parameters import Parameters

RNG = np.random.default_rng(14)
X = np.round(RNG.normal(size=(12, 6)), 2)
Y = np.eye(3)[RNG.integers(0, 3, 12)]
NET = {
    "W1": np.round(RNG.normal(size=(6, 5)), 2),
    "b1": np.round(RNG.normal(size=5), 2),
    "W2": np.round(RNG.normal(size=(5, 3)), 2),
    "b2": np.round(RNG.normal(size=3), 2),
}


def softmax_loss(z):
    """The mean cross-entropy."""
    z = z - z.max(axis=1, keepdims=True)
    e = np.exp(z)
    q = e / e.sum(axis=1, keepdims=True)
    return -np.mean(np.sum(Y * np.log(q), axis=1))


def net(p):
    """A network of two layers, as people write it."""
    return softmax_loss(np.tanh(X @ p["W1"] + p["b1"]) @ p["W2"] + p["b2"])


def net_with_penalty(p):
    """The same with a penalty on the weights."""
    return net(p) + 0.05 * (np.sum(p["W1"] ** 2) + np.sum(p["W2"] ** 2))


def flat_net(theta):
    """The same network from one vector, which is cut and reshaped."""
    cuts = np.cumsum([30, 5, 15])
    W1, b1, W2, b2 = theta[: cuts[0]], theta[cuts[0] : cuts[1]], theta[cuts[1] : cuts[2]], theta[cuts[2] :]
    return net({"W1": W1.reshape(6, 5), "b1": b1, "W2": W2.reshape(5, 3), "b2": b2})


FLAT = np.concatenate([leaf.reshape(-1) for leaf in NET.values()])


def transposed_net(p):
    """A network with samples in columns: z = W x + b."""
    a = np.tanh(p["W1"].T @ X.T + p["b1"][:, None])
    return softmax_loss((p["W2"].T @ a + p["b2"][:, None]).T)


def batch_of(cost, params):
    """The batch of a cost's tape."""
    return Batch(record(cost, Parameters(params), ()))


def engine_of(cost, params, args=()):
    """The engine of a recorded cost, and the plain one."""
    plain = PythonEngine(cost, Parameters(params), args)
    plain.baseline()
    engine, _ = recorded_engine(plain, 0)
    engine.baseline()
    return engine, plain


def everything(engine, offset=1e-4):
    """All coordinates, and offsets to both sides."""
    indices = np.arange(engine.parameters.size)
    return indices, np.tile([-offset, offset, 3 * offset], (len(indices), 1))


def on_one_worker(engine, indices, offsets):
    """An engine's values, prepared as `evaluate` does it."""
    return engine.prepared(indices, offsets, on_one_worker).values(indices, offsets)


COSTS = {
    "net": (net, NET),
    "net with penalty": (net_with_penalty, NET),
    "flat net": (flat_net, FLAT),
    "transposed net": (transposed_net, NET),
    "penalty inside": (lambda p: np.log(1 + np.sum(np.tanh(X @ p) ** 2)) + np.sum(p**4), NET["W1"]),
    "tied": (lambda p: np.sum(np.tanh(X @ p) @ p.T * X), NET["W1"]),
    "centred": (lambda p: np.sum(np.tanh((lambda z: z - z.mean(0))(X @ p)) ** 3), NET["W1"]),
}
"""Costs and their parameters, by name."""
