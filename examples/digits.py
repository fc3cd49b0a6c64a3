"""A 64-32-10 network on 1,797 handwritten digits: its gradient of 2,410 entries, right and without L2.

pip install scikit-learn
python examples/digits.py
"""

from __future__ import annotations

import sys

import numpy as np
from sklearn.datasets import load_digits

import fastgrad

L2 = 1e-2


def cost(p, X, labels):
    """Mean softmax cross-entropy of a tanh network, and a penalty on its weights."""
    z = np.tanh(X @ p["W1"] + p["b1"]) @ p["W2"] + p["b2"]
    z = z - z.max(axis=1, keepdims=True)
    fit = np.mean(np.log(np.exp(z).sum(axis=1)) - z[np.arange(len(z)), labels])
    return fit + 0.5 * L2 * (np.sum(p["W1"] ** 2) + np.sum(p["W2"] ** 2))


def gradient(p, X, labels, l2=L2):
    """Its gradient by back-propagation."""
    a = np.tanh(X @ p["W1"] + p["b1"])
    z = a @ p["W2"] + p["b2"]
    delta = np.exp(z - z.max(axis=1, keepdims=True))
    delta /= delta.sum(axis=1, keepdims=True)
    delta[np.arange(len(z)), labels] -= 1
    delta /= len(z)
    back = (delta @ p["W2"].T) * (1 - a**2)
    return {
        "W1": X.T @ back + l2 * p["W1"],
        "b1": back.sum(axis=0),
        "W2": a.T @ delta + l2 * p["W2"],
        "b2": delta.sum(axis=0),
    }


def without_penalty(p, X, labels):
    """The gradient of somebody who added the penalty to the cost and not here."""
    return gradient(p, X, labels, l2=0.0)


def main():
    """Print both reports; 0 if the first agrees and the second names what is missing."""
    images, labels = load_digits(return_X_y=True)
    rng = np.random.default_rng(0)
    params = {
        "W1": rng.normal(size=(64, 32)) / 8,
        "b1": 0.1 * rng.normal(size=32),
        "W2": rng.normal(size=(32, 10)) / 6,
        "b2": 0.1 * rng.normal(size=10),
    }
    data = (images / 16, labels)
    right = fastgrad.check_gradient(cost, gradient, params, args=data)
    wrong = fastgrad.check_gradient(cost, without_penalty, params, args=data)
    print(right, wrong, sep="\n\n")
    return 0 if right.passed and any("L2" in sentence for sentence in wrong.diagnosis) else 1


if __name__ == "__main__":
    sys.exit(main())
