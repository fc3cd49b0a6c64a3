"""What every peer is given: a network's cost and gradient in NumPy, as functions of one flat vector."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

import fastgrad

BATCH_VALUES = 2**19
"""Parameters in one batch of vectors, 4 MiB of them."""


class Formula:
    """A dense tanh network with softmax cross-entropy on a batch, as functions of one parameter vector."""

    def __init__(self, sizes, X, labels):
        self.sizes, self.X, self.labels = sizes, X, labels

    def layers(self, x):
        """Weights and biases of each layer; leading axes of x stay in front."""
        at = 0
        for inputs, outputs in pairwise(self.sizes):
            weight = x[..., at : at + inputs * outputs].reshape(*x.shape[:-1], inputs, outputs)
            at += inputs * outputs
            yield weight, x[..., at : at + outputs]
            at += outputs

    def cost(self, x):
        """The mean cross-entropy at a vector of parameters, real or complex."""
        a = self.X
        for k, (weight, bias) in enumerate(self.layers(x)):
            a = (np.tanh(a) if k else a) @ weight + bias
        shifted = a - a.real.max(axis=1, keepdims=True)
        picked = shifted[np.arange(len(a)), self.labels]
        return np.mean(np.log(np.exp(shifted).sum(axis=1)) - picked)

    def batch_cost(self, batch):
        """The cost at each row of a batch of vectors, shape (k, n) -> (k,)."""
        a = self.X
        for k, (weight, bias) in enumerate(self.layers(batch)):
            a = (np.tanh(a) if k else a) @ weight + bias[:, None, :]
        shifted = a - a.max(axis=2, keepdims=True)
        picked = shifted[:, np.arange(len(self.X)), self.labels]
        return np.mean(np.log(np.exp(shifted).sum(axis=2)) - picked, axis=1)


class Case:
    """A network and its data, the point where it is differentiated, and its analytic gradient there.

    Parameters
    ----------
    sizes : of the layers, inputs first
    samples : in the batch
    """

    def __init__(self, sizes, samples):
        rng = np.random.default_rng(0)
        layers = []
        for inputs, outputs in pairwise(sizes):
            layers += [fastgrad.Dense(inputs, outputs), fastgrad.Tanh()]
        self.network = fastgrad.Network(layers[:-1], fastgrad.SoftmaxCrossEntropy())
        self.params = self.network.initial_parameters(0)
        self.X, self.labels = rng.normal(size=(samples, sizes[0])), rng.integers(0, sizes[-1], samples)
        self.formula = Formula(sizes, self.X, self.labels)
        self.x = self.flat(self.params)
        self.truth = self.flat(self.network.gradient(self.params, self.X, self.labels))

    @staticmethod
    def flat(blocks):
        """Blocks of parameters, or of their derivatives, as one vector."""
        return np.concatenate([block.ravel() for block in blocks.values()])


class Piece:
    """The cost as a function of some coordinates, for libraries that differentiate in all they are given.

    Calls are counted. The other coordinates stay in one array that is written in place, so that a call costs
    no more than the network's own.
    """

    def __init__(self, case, indices):
        self.formula, self.indices = case.formula, indices
        self.start = case.x[indices]
        self.x, self.complex_x = case.x.copy(), None
        self.calls = 0

    def __call__(self, z):
        """The cost where the coordinates are z."""
        self.calls += 1
        if not self.x.flags.writeable:  # a worker process was handed a read-only view
            self.x = self.x.copy()
        x = self.x
        if np.iscomplexobj(z):
            self.complex_x = self.x.astype(complex) if self.complex_x is None else self.complex_x
            x = self.complex_x
        x[self.indices] = z
        value = self.formula.cost(x)
        return value if np.iscomplexobj(value) else float(value)

    def one_by_one(self, values, which):
        """The cost with one coordinate moved, for each pair of a value and the number of a coordinate."""
        flat, numbers = np.ravel(values), np.broadcast_to(which, np.shape(values)).ravel().astype(int)
        self.x[self.indices] = self.start
        rows, out = max(1, BATCH_VALUES // len(self.x)), np.empty(len(flat))
        self.calls += len(flat)
        for k in range(0, len(flat), rows):
            piece = slice(k, k + rows)
            batch = np.tile(self.x, (len(flat[piece]), 1))
            batch[np.arange(len(batch)), self.indices[numbers[piece]]] = flat[piece]
            out[piece] = self.formula.batch_cost(batch)
        return out.reshape(np.shape(values))

    def many(self, Z):
        """The cost at many points, (k, ...) -> (...), where k are the coordinates."""
        rows = Z.reshape(len(self.indices), -1).T
        return np.array([self(z) for z in rows]).reshape(Z.shape[1:])
