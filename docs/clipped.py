"""A wrong network, whose report is shown as a page and as a picture in docs/report.md.

Somebody clipped the gradient of the first layer inside the gradient function, and forgot it there.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import fastgrad


def cost(p: Any, X: Any, Y: Any) -> Any:
    """Half the sum of squares of a tanh network."""
    a = np.tanh(X @ p["W1"] + p["b1"])
    return 0.5 * np.sum((a @ p["W2"] - Y) ** 2)


def gradient(p: Any, X: Any, Y: Any) -> dict[str, Any]:
    """Its gradient by back-propagation, clipped in one block."""
    a = np.tanh(X @ p["W1"] + p["b1"])
    delta = a @ p["W2"] - Y
    back = (delta @ p["W2"].T) * (1 - a**2)
    return {"W1": np.clip(X.T @ back, -5, 5), "b1": back.sum(axis=0), "W2": a.T @ delta}


def report() -> fastgrad.Report:
    """The check of that gradient, the same in each build."""
    rng = np.random.default_rng(0)
    params = {
        "W1": rng.normal(size=(20, 15)) / 4,
        "b1": 0.1 * rng.normal(size=15),
        "W2": rng.normal(size=(15, 3)) / 4,
    }
    data = rng.normal(size=(50, 20)), rng.normal(size=(50, 3))
    return fastgrad.check_gradient(cost, gradient, params, args=data)
