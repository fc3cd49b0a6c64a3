"""The classic lesson: the slope of x^2, then a 2-3-1 network whose back-propagation is tested before use.

python examples/lesson.py
"""

from __future__ import annotations

import sys

import numpy as np

import fastgrad

# [slope]
# f(x) = x^2 at 1.5, where the derivative is 2 x = 3: (f(x + e) - f(x - e)) / 2e for smaller and smaller e.
x = 1.5
print("THE SLOPE OF x^2")
for e in (1e-1, 1e-5, 1e-9, 1e-13):
    print(f"e = {e:.0e}   slope {((x + e) ** 2 - (x - e) ** 2) / (2 * e):.9f}")
square = fastgrad.check_gradient(lambda x: x**2, lambda x: 2 * x, x)
print(square)
# [/slope]

# [network]
HOURS = np.array([[3.0, 5.0], [5.0, 1.0], [10.0, 2.0]]) / [10.0, 5.0]  # slept and studied, over the most
SCORES = np.array([[0.75], [0.82], [0.93]])  # of 100 on the test


def sigmoid(z):
    """1 / (1 + exp(-z)), entry by entry."""
    return 1 / (1 + np.exp(-z))


def cost(p, X, y):
    """Half the sum of squares of the errors."""
    return 0.5 * np.sum((sigmoid(sigmoid(X @ p["W1"]) @ p["W2"]) - y) ** 2)


def gradient(p, X, y):
    """Back-propagation: the chain rule from the end to the beginning."""
    a = sigmoid(X @ p["W1"])
    out = sigmoid(a @ p["W2"])
    delta = (out - y) * out * (1 - out)
    back = (delta @ p["W2"].T) * a * (1 - a)
    return {"W1": X.T @ back, "W2": a.T @ delta}


rng = np.random.default_rng(0)
params = {"W1": rng.normal(size=(2, 3)), "W2": rng.normal(size=(3, 1))}
right = fastgrad.check_gradient(cost, gradient, params, args=(HOURS, SCORES))
print("\nA 2-3-1 NETWORK", right, sep="\n")
# [/network]


# [mistake]
def hasty_gradient(p, X, y):
    """The same, but the derivative of the output's sigmoid is forgotten."""
    a = sigmoid(X @ p["W1"])
    delta = sigmoid(a @ p["W2"]) - y  # should be times out * (1 - out)
    back = (delta @ p["W2"].T) * a * (1 - a)
    return {"W1": X.T @ back, "W2": a.T @ delta}


wrong = fastgrad.check_gradient(cost, hasty_gradient, params, args=(HOURS, SCORES))
print("\nTHE SAME, WITH A MISTAKE", wrong, sep="\n")
# [/mistake]

if __name__ == "__main__":
    sys.exit(0 if square.passed and right.passed and wrong.verdict == "disagree" else 1)
