"""Node perturbation of recorded costs."""

import numpy as np
import pytest
from traced_cases import FLAT, NET, X, engine_of, flat_net, net, net_with_penalty, transposed_net

import fastgrad

T, B, D, H = 5, 4, 3, 2
RNG = np.random.default_rng(8)
SEQUENCE = np.round(RNG.normal(size=(T, B, D)), 2)
CELL = {
    "Wx": np.round(RNG.normal(size=(D, 4 * H)), 2),
    "Wh": np.round(RNG.normal(size=(H, 4 * H)), 2),
    "b": np.round(RNG.normal(size=4 * H), 2),
}


def lstm(p):
    """A cell at each time step, with a loss at each."""
    h, c, loss = np.zeros((B, H)), np.zeros((B, H)), 0.0
    for t in range(T):
        z = SEQUENCE[t] @ p["Wx"] + h @ p["Wh"] + p["b"]
        i, f, o = (1 / (1 + np.exp(-z[:, k * H : (k + 1) * H])) for k in range(3))
        c = f * c + i * np.tanh(z[:, 3 * H :])
        h = o * np.tanh(c)
        loss = loss + 0.5 * np.sum((h - 0.3) ** 2)
    return loss


def attention(p):
    """Tokens that meet within a sequence."""
    x = X.reshape(3, 4, 6)
    q, k, v = x @ p["Q"], x @ p["K"], x @ p["V"]
    s = q @ np.swapaxes(k, 1, 2)
    a = np.exp(s - s.max(axis=-1, keepdims=True))
    return np.sum(np.tanh((a / a.sum(axis=-1, keepdims=True)) @ v) ** 2)


ATTENTION = {name: np.round(RNG.normal(size=(6, 3)) / 2, 2) for name in "QKV"}

COSTS = {
    "net": (net, NET),
    "flat net": (flat_net, FLAT),
    "transposed net": (transposed_net, NET),
    "lstm": (lstm, CELL),
    "attention": (attention, ATTENTION),
    "tied": (lambda p: np.sum(np.tanh(np.tanh(X @ p) @ p.T)), NET["W1"]),
    "batch norm": (lambda p: np.sum(np.tanh((lambda z: z - z.mean(0))(X @ p)) ** 3), NET["W1"]),
}


@pytest.mark.parametrize("name", COSTS)
def test_gradient(name):
    """The gradient by nodes is the gradient by parameters, within its bounds."""
    cost, params = COSTS[name]
    by_nodes = fastgrad.numerical_gradient(cost, params, engine="traced", perturb="nodes")
    plainly = fastgrad.numerical_gradient(cost, params, engine="python")
    leaves = [params] if isinstance(params, np.ndarray) else list(params)
    for leaf in leaves:
        get = (
            (lambda tree, leaf=leaf: tree) if isinstance(params, np.ndarray) else lambda tree, k=leaf: tree[k]
        )
        off = np.abs(get(by_nodes.values) - get(plainly.values))
        assert (off <= get(by_nodes.error_bound) + get(plainly.error_bound)).all()
        assert np.max(off) <= 1e-6 * np.max(np.abs(get(plainly.values)))


def test_a_penalty_is_moved_itself():
    """Blocks that are used in another way too are moved as parameters, and the report says so."""
    report = fastgrad.check_gradient(
        net_with_penalty,
        fastgrad.numerical_gradient(net_with_penalty, NET).values,
        NET,
        engine="traced",
        perturb="nodes",
    )
    assert report.passed
    assert "of W1, W2 each parameter itself" in str(report)


def test_some_coordinates():
    """A few wanted weights move the units that they lead to, and no others."""
    engine, _ = engine_of(net, NET)
    nodes = engine.through_nodes("nodes", np.arange(5))
    needed = nodes.space.needed(np.array([0, 5]))  # W1[0, 0] and W1[1, 0]
    assert len(needed) == len(X)


def test_no_nodes():
    """A cost without such a product is refused by perturb="nodes", in words, and taken by "auto"."""
    with pytest.raises(fastgrad.InputError, match="this cost has none"):
        fastgrad.numerical_gradient(lambda x: np.sum(x**2), np.arange(3.0), engine="traced", perturb="nodes")
    found = fastgrad.numerical_gradient(lambda x: np.sum(x**2), np.arange(3.0), perturb="auto")
    assert np.allclose(found.values, 2 * np.arange(3.0))
