"""Gradients in a suite of tests: the fixture comes with fastgrad's plugin of pytest.

pip install pytest
pytest examples/test_gradients.py
"""

from __future__ import annotations

import numpy as np
import pytest

import fastgrad

ACTIVATIONS = {
    "tanh": (np.tanh, lambda a: 1 - a**2),
    "sigmoid": (lambda z: 1 / (1 + np.exp(-z)), lambda a: a * (1 - a)),
}


def layer(name):
    """A cost and its gradient: one layer with an activation, whose slope is a function of its value."""
    act, slope = ACTIVATIONS[name]

    def cost(p, X, y):
        return 0.5 * np.sum((act(X @ p["W"] + p["b"]) - y) ** 2)

    def gradient(p, X, y):
        a = act(X @ p["W"] + p["b"])
        delta = (a - y) * slope(a)
        return {"W": X.T @ delta, "b": delta.sum(axis=0)}

    return cost, gradient


@pytest.fixture
def data():
    """Parameters of a layer 4-3, inputs and targets; the seed is fixed."""
    rng = np.random.default_rng(0)
    params = {"W": rng.normal(size=(4, 3)), "b": rng.normal(size=3)}
    return params, (rng.normal(size=(20, 4)), rng.normal(size=(20, 3)))


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_layer(check_gradient, data, name):
    """The gradient of a layer is right: the test fails with the report unless it agrees."""
    params, args = data
    check_gradient(*layer(name), params, args=args)


def test_mistake_is_seen(check_gradient, data):
    """The twin: with the sum over the batch forgotten the check fails, and names the bias."""
    params, args = data
    cost, gradient = layer("tanh")

    def wrong(p, X, y):
        g = gradient(p, X, y)
        return {**g, "b": g["b"] / len(X)}  # a mean where the cost has a sum

    with pytest.raises(fastgrad.GradientError, match="b") as caught:
        check_gradient(cost, wrong, params, args=args)
    assert {found.block for found in caught.value.report.wrong} == {"b"}
