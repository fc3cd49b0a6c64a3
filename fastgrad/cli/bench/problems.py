"""The built-in problems of `fastgrad bench`: one smooth cost for each engine, made when it is measured.

measure.py goes through PROBLEMS and gets a Timed of each: the engine with its problem, and the number of
floating-point operations of one evaluation where they are counted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Self

import numpy as np

from fastgrad.engines.batched import BatchedEngine
from fastgrad.engines.compiled import CompiledEngine
from fastgrad.engines.network.engine import NetworkEngine
from fastgrad.engines.protocol import Engine
from fastgrad.engines.python import PythonEngine
from fastgrad.kernels.jit import is_jitted, jit_uncached
from fastgrad.networks import Dense, Network, SoftmaxCrossEntropy, Tanh
from fastgrad.problem.parameters import Parameters

NETWORK = (784, 256, 128, 10)
"""Units of each layer of the network, inputs first: a common size for the MNIST digits."""

SAMPLES = 32
"""Samples in the batch of the network's cost, a common size of a mini-batch."""


@dataclass(frozen=True)
class Timed:
    """An engine on a problem of its kind.

    Parameters
    ----------
    name : of the problem, as it is shown
    engine : ready to evaluate
    coordinates : the number of coordinates that can be evaluated, from the first on
    flops : floating-point operations of one evaluation, where they are counted
    """

    name: str
    engine: Engine
    coordinates: int
    flops: int | None = None


def numpy_cost(x: Any, X: Any, Y: Any) -> float:
    """A 64-64-10 tanh network with half squared errors, of one vector of parameters."""
    hidden = np.tanh(X @ x[:4096].reshape(64, 64) + x[4096:4160])
    return float(0.5 * np.sum((hidden @ x[4160:4800].reshape(64, 10) + x[4800:] - Y) ** 2))


def batch_cost(batch: Any) -> Any:
    """The cost of a batch (k, n) -> (k,)."""
    return np.tanh(batch).sum(axis=1)


def rosenbrock(x: Any) -> float:
    """A chained Rosenbrock function, to be compiled."""
    total = 0.0
    for i in range(x.size - 1):
        total += 100.0 * (x[i + 1] - x[i] ** 2) ** 2 + (1.0 - x[i]) ** 2
    return total


def for_python() -> Timed:
    """A plain NumPy cost, called from Python."""
    rng = np.random.default_rng(0)
    x, X, Y = 0.1 * rng.normal(size=4810), rng.normal(size=(512, 64)), rng.normal(size=(512, 10))
    return Timed(
        "64-64-10 tanh network, 512 samples", PythonEngine(numpy_cost, Parameters(x), (X, Y)), len(x)
    )


def for_batched() -> Timed:
    """A vectorized cost."""
    x = np.linspace(-1, 1, 20_000)
    return Timed("tanh of 20,000 numbers", BatchedEngine(batch_cost, Parameters(x)), len(x))


def for_compiled() -> Timed | None:
    """A Numba cost; None where compiling is disabled."""
    cost = jit_uncached(rosenbrock)
    if not is_jitted(cost):
        return None
    x = np.linspace(-1, 1, 40_000)
    return Timed("Rosenbrock of 40,000 numbers", CompiledEngine(cost, Parameters(x)), len(x))


def for_network() -> Timed:
    """Weights of the first layer of a Network: each is propagated on its own, none is read off a table."""
    layers: list[Any] = []
    for inputs, outputs in pairwise(NETWORK):
        layers += [Dense(inputs, outputs), Tanh()]
    net = Network(layers[:-1], SoftmaxCrossEntropy())
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(SAMPLES, NETWORK[0])), rng.integers(0, NETWORK[-1], SAMPLES)
    engine = _Propagating(net.cost, Parameters(net.initial_parameters(0)), (X, Y), net)
    flops = flops_of_a_weight(NETWORK, "Tanh", SAMPLES)
    return Timed("784-256-128-10 tanh network, 32 samples", engine, NETWORK[0] * NETWORK[1], flops)


class _Propagating(NetworkEngine):
    """A NetworkEngine that prepares nothing for a plan, so that every coordinate costs the same."""

    def prepared(self, indices: Any, offsets: Any, evaluate_all: Any) -> Self:
        """The engine itself."""
        return self


PROBLEMS: dict[str, Callable[[], Timed | None]] = {
    "python": for_python,
    "batched": for_batched,
    "compiled": for_compiled,
    "network": for_network,
}

CHANGE_FLOPS = {"Tanh": 14, "ReLU": 3, "Identity": 0}
"""Floating-point operations by which one activation changes for one sample, counted in kernels/changes.py.
A division counts as one."""

SOFTMAX_FLOPS = 19
"""Floating-point operations by which softmax cross-entropy changes for one class and sample, counted in
kernels/loss_changes.py: a series, its product with p, the label's part and two sums."""


def flops_of_a_weight(sizes: tuple[int, ...], activation: str, samples: int) -> int:
    """Floating-point operations of one perturbed first-layer weight: fill, change, rank one, products, loss.

    Parameters
    ----------
    sizes : of the dense layers, inputs first
    activation : between them, by its class's name
    samples : in the batch

    Examples
    --------
    >>> flops_of_a_weight((3, 2, 2), "ReLU", 1)
    44
    """
    change = CHANGE_FLOPS[activation]
    lane = 1 + change + sizes[2] * (1 + (change if len(sizes) > 3 else 0))
    for inputs, outputs in pairwise(sizes[2:]):
        lane += outputs * 2 * inputs
    for outputs in sizes[3:-1]:
        lane += outputs * change
    return samples * (lane + sizes[-1] * SOFTMAX_FLOPS)
