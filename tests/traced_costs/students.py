"""Networks that keep their parameters in themselves, as lessons write them."""

from __future__ import annotations

import numpy as np

from traced_costs.case import Case

X = np.array(([3, 5], [5, 1], [10, 2], [6, 1.5]), dtype=float) / np.array([10, 5])
Y = np.array(([75], [82], [93], [70]), dtype=float) / 100


class Neural_Network:
    """The lesson's network, line by line; `mistake` leaves a factor out of the second layer's slope."""

    def __init__(self, mistake=False):
        self.inputLayerSize = 2
        self.outputLayerSize = 1
        self.hiddenLayerSize = 3
        rng = np.random.default_rng(2)
        self.W1 = rng.normal(size=(self.inputLayerSize, self.hiddenLayerSize))
        self.W2 = rng.normal(size=(self.hiddenLayerSize, self.outputLayerSize))
        self.mistake = mistake
        self.J = []

    def forward(self, X):
        """Propagate inputs through the network."""
        self.z2 = np.dot(X, self.W1)
        self.a2 = self.sigmoid(self.z2)
        self.z3 = np.dot(self.a2, self.W2)
        return self.sigmoid(self.z3)

    def sigmoid(self, z):
        """Apply the sigmoid to a scalar, a vector or a matrix."""
        return 1 / (1 + np.exp(-z))

    def sigmoidPrime(self, z):
        """The gradient of the sigmoid."""
        return np.exp(-z) / ((1 + np.exp(-z)) ** 2)

    def costFunction(self, X, y):
        """The cost for given X, y with the weights stored in the object; each cost is kept."""
        self.yHat = self.forward(X)
        J = 0.5 * sum((y - self.yHat) ** 2)
        self.J.append(J)
        return J

    def costFunctionPrime(self, X, y):
        """The derivatives with respect to W1 and W2."""
        self.yHat = self.forward(X)
        delta3 = np.multiply(-(y - self.yHat), self.sigmoidPrime(self.z3))
        dJdW2 = np.dot(self.a2.T, delta3)
        slope = 1.0 if self.mistake else self.sigmoidPrime(self.z2)
        delta2 = np.dot(delta3, self.W2.T) * slope
        dJdW1 = np.dot(X.T, delta2)
        return dJdW1, dJdW2

    def getParams(self):
        """W1 and W2 rolled into a vector."""
        return np.concatenate((self.W1.ravel(), self.W2.ravel()))

    def setParams(self, params):
        """Take W1 and W2 from a single parameter vector."""
        W1_start = 0
        W1_end = self.hiddenLayerSize * self.inputLayerSize
        self.W1 = np.reshape(params[W1_start:W1_end], (self.inputLayerSize, self.hiddenLayerSize))
        W2_end = W1_end + self.hiddenLayerSize * self.outputLayerSize
        self.W2 = np.reshape(params[W1_end:W2_end], (self.hiddenLayerSize, self.outputLayerSize))

    def computeGradients(self, X, y):
        """The gradient in one vector."""
        dJdW1, dJdW2 = self.costFunctionPrime(X, y)
        return np.concatenate((dJdW1.ravel(), dJdW2.ravel()))


def closures(net):
    """A cost and a gradient that set the parameters of one network, for both."""

    def cost(params):
        net.setParams(params)
        return net.costFunction(X, Y).item()  # sum() over rows gives an array of size 1

    def gradient(params, mistake=False):
        net.setParams(params)
        net.mistake = mistake
        return net.computeGradients(X, Y)

    return cost, gradient


def lesson():
    """A Case of closures over one object."""
    net = Neural_Network()
    return Case("stateful class, closures", *closures(net), net.getParams())


CASES = [lesson()]
