"""Reports of wrong gradients, one by each engine, of which something more is asked."""

from __future__ import annotations

import numba
import numpy as np
from scipy import sparse

import fastgrad

X = np.array([0.3, 1.0, 2.0, -0.7])
RNG = np.random.default_rng(5)
DATA, LABELS = RNG.normal(size=(9, 5)), RNG.integers(0, 3, 9)
NETWORK = fastgrad.Network(
    [fastgrad.Dense(5, 7), fastgrad.Tanh(), fastgrad.Dense(7, 3)], loss=fastgrad.SoftmaxCrossEntropy()
)
PARAMS = NETWORK.initial_parameters(0)
WEIGHTS = RNG.normal(size=(5, 3))


def exponentials(x):
    """A smooth cost, all of whose derivatives are exp."""
    return np.sum(np.exp(x), axis=-1)


def claimed(x):
    """Its gradient, wrong in one place."""
    return np.exp(x) * [1, 1.1, 1, 1]


def product(p):
    """A cost with nodes to move."""
    return np.sum(np.tanh(DATA @ p["W"]))


def wrong_of_product(p):
    """Its gradient, 1% off."""
    return {"W": 1.01 * DATA.T @ (1 - np.tanh(DATA @ p["W"]) ** 2)}


def wrong_of_network(p, X, Y):
    """The network's gradient, one block of which is off."""
    found = NETWORK.gradient(p, X, Y)
    return found | {"2.weight": 1.01 * found["2.weight"]}


def by_network(dtype=np.float64, **options):
    """The report by the network engine."""
    params = {name: leaf.astype(dtype) for name, leaf in PARAMS.items()}
    problem = NETWORK.problem(params, DATA.astype(dtype), LABELS, gradient=wrong_of_network)
    return fastgrad.check(problem, **options)


def by_columns():
    """The report of a Jacobian whose columns are moved together."""
    x = np.linspace(0.5, 2.0, 60)

    def jacobian(x):
        return sparse.diags_array(np.exp(x) * np.where(np.arange(60) == 7, 1.1, 1.0), format="csc")

    return fastgrad.check_jacobian(np.exp, jacobian, x)


def of(cost=exponentials, gradient=claimed, params=X, **options):
    """The report of a gradient."""
    return fastgrad.check_gradient(cost, gradient, params, **options)


REPORTS = {
    "python": lambda: of(engine="python"),
    "traced": lambda: of(engine="traced"),
    "traced, nodes": lambda: of(product, wrong_of_product, {"W": WEIGHTS}, engine="traced", perturb="nodes"),
    "batched": lambda: of(vectorized=True),
    "compiled": lambda: of(numba.njit(lambda x: np.sum(np.exp(x)))),
    "network": by_network,
    "network, float32": lambda: by_network(np.float32),
    "network, nodes": lambda: by_network(perturb="nodes"),
    "columns": by_columns,
    "complex step": lambda: of(method="complex"),
    "forward": lambda: of(method="forward"),
    "float32": lambda: of(params=X.astype(np.float32)),
}
"""What makes a report, by engine."""
