"""The lesson's network, which keeps its parameters in itself."""

from __future__ import annotations

import numpy as np

X = np.array([[3.0, 5.0], [5.0, 1.0], [10.0, 2.0]]) / np.array([10.0, 5.0])
Y = np.array([[75.0], [82.0], [93.0]]) / 100  # hours slept and studied, and the score


def sigmoid(z):
    """The logistic function."""
    return 1 / (1 + np.exp(-z))


class Network:
    """The classic 2-3-1 network that keeps its weights in itself; `factor` spoils its gradient."""

    def __init__(self, factor=1.0):
        rng = np.random.default_rng(1)
        self.W1, self.W2 = rng.normal(size=(2, 3)), rng.normal(size=(3, 1))
        self.factor = factor
        self.calls = 0

    def getParams(self):
        """All weights in one vector."""
        return np.concatenate((self.W1.ravel(), self.W2.ravel()))

    def setParams(self, params):
        """Take the weights from one vector."""
        self.W1, self.W2 = params[:6].reshape(2, 3), params[6:].reshape(3, 1)

    def forward(self, X):
        """The scores, with what back-propagation needs kept in the object."""
        self.calls += 1
        self.z2 = X @ self.W1
        self.a2 = sigmoid(self.z2)
        self.z3 = self.a2 @ self.W2
        return sigmoid(self.z3)

    def costFunction(self, X, y):
        """Half the sum of squares, by Python's own sum: an array of size 1."""
        self.yHat = self.forward(X)
        return 0.5 * sum((y - self.yHat) ** 2)

    def computeGradients(self, X, y):
        """The gradient by back-propagation, in one vector."""
        self.yHat = self.forward(X)
        delta3 = -(y - self.yHat) * self.yHat * (1 - self.yHat)
        delta2 = (delta3 @ self.W2.T) * self.a2 * (1 - self.a2)
        return self.factor * np.concatenate(((X.T @ delta2).ravel(), (self.a2.T @ delta3).ravel()))
