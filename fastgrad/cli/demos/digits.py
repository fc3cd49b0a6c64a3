"""The demonstration of a real network: 64-32-10 on the UCI handwritten digits, all 2,410 parameters checked.

`fastgrad demo` calls run, which checks the right gradient and one with a planted mistake, and prints both
reports.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

import fastgrad
from fastgrad.errors import InputError

Array = npt.NDArray[np.float64]
Params = dict[str, Array]

PLANTED = ("W2", (17, 3))
"""The block and the index of the entry of the gradient that is made wrong."""

PLANTED_FACTOR = 1.01
"""The factor by which the planted entry is wrong. No training curve would show 1% in one entry of 2,410."""


def data() -> tuple[Array, npt.NDArray[np.intp]]:
    """All 1,797 images as rows of 64 pixels from 0 to 1, and their labels."""
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise InputError(
            "the digits come with scikit-learn, which is not installed: pip install 'fastgrad[demo]'",
            code="FG905",
        ) from error
    images, labels = load_digits(return_X_y=True)
    return np.asarray(images / 16, dtype=np.float64), labels.astype(np.intp)


def initial_parameters(seed: int = 0) -> Params:
    """Parameters of a 64-32-10 network: normal weights over the root of their inputs, small biases."""
    rng = np.random.default_rng(seed)
    return {
        "W1": rng.standard_normal((64, 32)) / np.sqrt(64),
        "b1": 0.1 * rng.standard_normal(32),
        "W2": rng.standard_normal((32, 10)) / np.sqrt(32),
        "b2": 0.1 * rng.standard_normal(10),
    }


def cost(p: Params, X: Array, labels: npt.NDArray[np.intp]) -> float:
    """Mean softmax cross-entropy of a tanh network."""
    z = np.tanh(X @ p["W1"] + p["b1"]) @ p["W2"] + p["b2"]
    z = z - z.max(axis=1, keepdims=True)
    return float(np.mean(np.log(np.exp(z).sum(axis=1)) - z[np.arange(len(z)), labels]))


def gradient(p: Params, X: Array, labels: npt.NDArray[np.intp]) -> Params:
    """The gradient of the cost by back-propagation."""
    a = np.tanh(X @ p["W1"] + p["b1"])
    z = a @ p["W2"] + p["b2"]
    delta = np.exp(z - z.max(axis=1, keepdims=True))
    delta /= delta.sum(axis=1, keepdims=True)
    delta[np.arange(len(z)), labels] -= 1
    delta /= len(z)
    back = (delta @ p["W2"].T) * (1 - a**2)
    return {"W1": X.T @ back, "b1": back.sum(axis=0), "W2": a.T @ delta, "b2": delta.sum(axis=0)}


def spoiled_gradient(p: Params, X: Array, labels: npt.NDArray[np.intp]) -> Params:
    """The gradient with one wrong entry."""
    g = gradient(p, X, labels)
    block, index = PLANTED
    g[block][index] *= PLANTED_FACTOR
    return g


def problem(spoiled: bool = False) -> fastgrad.Problem:
    """The network on the digits, with its own gradient or the spoiled one."""
    return fastgrad.Problem(
        cost, spoiled_gradient if spoiled else gradient, initial_parameters(), args=data()
    )


def run(n_jobs: int = 1) -> bool:
    """Print both reports; True if the right gradient agrees and the planted entry alone is called wrong."""
    good, bad = problem(), problem(spoiled=True)
    print("A REAL NETWORK: 64-32-10, tanh, softmax cross-entropy, on 1,797 handwritten digits\n")
    right = _show(good, n_jobs)
    block, index = PLANTED
    print(f"\nTHE SAME WITH A PLANTED BUG: entry {block}{list(index)} of the gradient is 1% too large\n")
    wrong = _show(bad, n_jobs)
    return right.passed and [(f.block, f.index) for f in wrong.wrong] == [PLANTED]


def _show(what: fastgrad.Problem, n_jobs: Any) -> fastgrad.Report:
    report = fastgrad.check(what, n_jobs=n_jobs)
    print(report)
    return report
