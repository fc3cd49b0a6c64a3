"""The classic lesson: the definition of the derivative, a small network checked, then trained.

`fastgrad demo` calls run, which prints the three steps. The network has 2-3-1 sigmoid units and keeps its
parameters in an object, as students write it.
"""

from __future__ import annotations

import textwrap
from typing import Any

import numpy as np
import numpy.typing as npt

import fastgrad
from fastgrad.report.plain_table import plain_table

Array = npt.NDArray[np.float64]

HOURS = np.array([[3.0, 5.0], [5.0, 1.0], [10.0, 2.0]])
"""Hours slept and hours studied before a test, one row for each student."""

SCORES = np.array([[75.0], [82.0], [93.0]])
"""The students' scores on the test, out of 100."""

GOAL = 1e-8
"""The relative error below which the lesson calls a gradient of a smooth cost right."""


def data() -> tuple[Array, Array]:
    """Inputs with each column over its maximum, and scores over 100."""
    return HOURS / HOURS.max(axis=0), SCORES / 100


class NeuralNetwork:
    """A 2-3-1 sigmoid network in the form students write it: the parameters live in the object."""

    def __init__(self, seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        self.W1 = rng.standard_normal((2, 3))
        self.W2 = rng.standard_normal((3, 1))

    def forward(self, X: Array) -> Array:
        """Propagate inputs through the network."""
        self.a2 = sigmoid(X @ self.W1)
        self.yHat = sigmoid(self.a2 @ self.W2)
        return self.yHat

    def costFunction(self, X: Array, y: Array) -> float:
        """Half the sum of squares of the errors."""
        return float(0.5 * np.sum((y - self.forward(X)) ** 2))

    def computeGradients(self, X: Array, y: Array) -> Array:
        """The gradient by back-propagation, as one flat vector."""
        yHat = self.forward(X)
        delta3 = -(y - yHat) * yHat * (1 - yHat)
        delta2 = (delta3 @ self.W2.T) * self.a2 * (1 - self.a2)
        return np.concatenate(((X.T @ delta2).ravel(), (self.a2.T @ delta3).ravel()))

    def getParams(self) -> Array:
        """All weights as one flat vector."""
        return np.concatenate((self.W1.ravel(), self.W2.ravel()))

    def setParams(self, params: Array) -> None:
        """Put a flat vector back into the weights."""
        self.W1, self.W2 = params[:6].reshape(2, 3), params[6:].reshape(3, 1)


def sigmoid(z: Array) -> Array:
    """1 / (1 + exp(-z)), entry by entry."""
    return np.asarray(1 / (1 + np.exp(-z)))


def derivative_table(x: float = 1.5) -> list[tuple[float, float]]:
    """The slope of x^2 by central differences for smaller and smaller epsilon: (epsilon, slope)."""
    steps = [10.0**-k for k in range(1, 6)]
    return [(e, ((x + e) ** 2 - (x - e) ** 2) / (2 * e)) for e in steps]


def train(net: NeuralNetwork, X: Array, y: Array) -> Any:
    """Train by scipy's BFGS from the network's own cost and gradient; returns scipy's result."""
    from scipy.optimize import minimize

    def objective(params: Array) -> tuple[float, Array]:
        net.setParams(params)
        return net.costFunction(X, y), net.computeGradients(X, y)

    result = minimize(objective, net.getParams(), jac=True, method="BFGS", options={"maxiter": 200})
    net.setParams(result.x)
    return result


def run(n_jobs: int = 1) -> bool:
    """Print the lesson; True if every step of it came out as it should."""
    print("THE LESSON: test a gradient like any other code, and only then train\n")
    slope = _show_derivative()
    X, y = data()
    net = NeuralNetwork()
    report = _show_check(net, X, y, n_jobs)
    before = net.costFunction(X, y)
    if not report.passed:
        return False
    result = train(net, X, y)
    print(f"(c) trained by BFGS: the cost falls from {before:.6f} to {result.fun:.2e} ({result.nit} steps)\n")
    return abs(slope - 3.0) < GOAL and report.relative_error < GOAL and result.fun < before


def _show_derivative() -> float:
    print("(a) f(x) = x^2 at x = 1.5, whose derivative is 2x = 3, by (f(x + e) - f(x - e)) / 2e:")
    rows = [(f"{epsilon:.0e}", f"{slope:.12f}") for epsilon, slope in derivative_table()]
    print(textwrap.indent(plain_table(("e", "slope"), rows), "    "))
    report = fastgrad.check_gradient(lambda x: x**2, lambda x: 2 * x, 1.5)
    print(f"    fastgrad: {report.verdict}, relative error {report.relative_error:.1e}\n")
    return float(report.numeric[0])


def _show_check(net: NeuralNetwork, X: Array, y: Array, n_jobs: int) -> fastgrad.Report:
    report = fastgrad.check(fastgrad.Problem.from_object(net, X, y), n_jobs=n_jobs)
    print("(b) a 2-3-1 sigmoid network on hours slept and studied against test scores:")
    print(f"    by back-propagation  {np.array2string(report.claimed, precision=8, max_line_width=200)}")
    print(f"    by differences       {np.array2string(report.numeric, precision=8, max_line_width=200)}")
    print(
        f"    fastgrad: {report.verdict}, ||g - d|| / ||g + d|| = {report.relative_error:.1e}"
        f" (should be about {GOAL:.0e} or less)\n"
    )
    return report
