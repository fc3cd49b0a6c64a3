"""Vector functions with Jacobians that are known, of each structure that is recognised."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from fastgrad.options import Options
from fastgrad.vector.projection import VectorProblem

RNG = np.random.default_rng(11)


@dataclass(frozen=True)
class Case:
    """F, J and x."""

    function: Any
    jacobian: Any
    x: Any

    def vjp(self, x, u):
        """J^T u in the structure of x."""
        return (self.jacobian(x).T @ np.reshape(u, -1)).reshape(np.shape(x))

    def jvp(self, x, v):
        """J v in the structure of F."""
        return (self.jacobian(x) @ np.reshape(v, -1)).reshape(np.shape(self.function(x)))

    def problem(self, **options):
        """As the modules of `vector` see it."""
        return VectorProblem(self.function, self.x, (), Options(**options))


def softmax(x):
    """Over the last axis."""
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def softmax_jacobian(x):
    """Block diagonal."""
    return sparse.block_diag([np.diag(s) - np.outer(s, s) for s in softmax(x)]).toarray()


def chain(x):
    """Each output depends on three neighbours."""
    y = 2 * np.sin(x)
    y[1:] += x[:-1] ** 2
    y[:-1] += x[1:] * x[:-1]
    return y


def chain_jacobian(x):
    """Tridiagonal."""
    d = 2 * np.cos(x)
    d[:-1] += x[1:]
    return sparse.diags_array([2 * x[:-1], d, x[:-1]], offsets=[-1, 0, 1], format="csr")


A = RNG.normal(size=(40, 50)) / 7

ELEMENTWISE = Case(np.tanh, lambda x: np.diag(1 - np.tanh(x) ** 2), RNG.normal(size=64))
ROWS = Case(softmax, softmax_jacobian, RNG.normal(size=(16, 4)))
CHAIN = Case(chain, chain_jacobian, RNG.normal(size=120))
DENSE = Case(lambda x: np.tanh(A @ x), lambda x: A * (1 - np.tanh(A @ x) ** 2)[:, None], RNG.normal(size=50))

CASES = {"elementwise": ELEMENTWISE, "rows": ROWS, "chain": CHAIN, "dense": DENSE}
