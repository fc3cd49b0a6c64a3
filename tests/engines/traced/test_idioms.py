"""Lines that many costs have are recorded as they are."""

from __future__ import annotations

import numpy as np
import pytest
from numpy import zeros as blank

from fastgrad.engines.traced.recorder import record
from fastgrad.problem.parameters import Parameters

X = np.arange(12.0).reshape(4, 3) / 10
Y = np.array([1.0, 0.0, 1.0, 1.0])
W = np.array([0.5, -1.0, 2.0])


def asserted(w):
    """isinstance of the parameters, of what follows from them, and of a sum."""
    assert isinstance(w, np.ndarray)
    z = X @ w
    assert isinstance(z, np.ndarray)
    assert not isinstance(z, float)
    loss = np.sum(z**2)
    assert isinstance(loss, float)
    assert not isinstance(loss, np.ndarray)
    return loss


def dropped(w):
    """A mask drawn inside from a generator with a seed: code in C that makes arrays."""
    mask = np.random.default_rng(0).random(X.shape) > 0.5
    return np.sum(((X * mask) @ w) ** 2)


def by_another_name(w):
    """np.zeros under a name of the user's."""
    out = blank(4)
    for k in range(4):
        out[k] = X[k] @ w
    return np.sum(out**2)


def by_rows(w):
    """A loop over samples with a number that is added to."""
    J = 0
    for x, y in zip(X, Y, strict=True):
        h = 1 / (1 + np.exp(-np.dot(w, x)))
        J += -y * np.log(h) - (1 - y) * np.log(1 - h)
    return J / len(Y)


def with_a_column_of_ones(w):
    """np.c_ of the data, and an early return where the cost is not finite."""
    loss = np.sum((np.c_[np.ones(4), X[:, :2]] @ w - Y) ** 2)
    if np.isnan(loss) or not np.isfinite(loss):
        return 1e10
    return loss


COSTS = (asserted, dropped, by_another_name, by_rows, with_a_column_of_ones)


@pytest.mark.parametrize("cost", COSTS, ids=lambda cost: cost.__qualname__)
def test_it_is_recorded(cost):
    """The tape gives the cost's own values at other parameters."""
    tape = record(cost, Parameters(W), ())
    for w in (W, W * 1.25, W + 0.1):
        np.testing.assert_allclose(tape.replay([w]), cost(w), rtol=1e-14)
