"""One random combination of outputs, w . F(x): the cost by which all outputs are checked at once.

    d/dx_i [w . F(x)] = sum_k w_k J_ki = (J^T w)_i

One gradient check of it takes as many evaluations as a check of one output. An error in any entry J_ki shows
in coordinate i, whatever the other entries are, but for a chance of zero: w is random, w_k = a sign times a
number of [1, 2) over the size of output k, so that no output hides behind larger ones.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fastgrad.arrays import Floats
from fastgrad.problem.naming import copy_for_worker, name_like
from fastgrad.vector.function import MovedFunction
from fastgrad.vector.outputs import Function, Outputs

STREAM = 0x636F7461
"""Keeps the random numbers apart from those of other choices ("cota")."""

AWAY = 0.125
"""The share of itself by which each parameter is moved to see how far outputs move: a zero of an output says
nothing of its size."""

BARELY = 2.0**-46
"""The share by which they are moved to see by how much an output is noisy."""

LOOKS = 2
"""How often they are moved by so little."""

ABOVE_NOISE = 2.0**40
"""An output is taken to be at least so many times its noise: one that is only rounding, such as
sum(softmax(x)) - 1, would hide all others behind its noise. An ordinary one is 2^52 times its noise."""


@dataclass(frozen=True, eq=False)
class Combination:
    """The cost w . F(params).

    Parameters
    ----------
    function : F
    outputs : what F returns at the parameters
    weights : (m,) w

    Examples
    --------
    >>> function = lambda x: np.array([x[0] * x[1], x[0]])
    >>> outputs = Outputs.of(function(np.array([2.0, 3.0])))
    >>> float(Combination(function, outputs, np.array([1.0, 10.0]))(np.array([2.0, 3.0])))
    26.0
    """

    function: Function
    outputs: Outputs
    weights: Floats

    def __post_init__(self) -> None:
        name_like(self, self.function)

    @property
    def coarsest_epsilon(self) -> float:
        """Machine epsilon of the coarsest dtype among the outputs: w . F is no better than they."""
        return self.outputs.epsilon

    def __call__(self, params: Any, *args: Any) -> Any:
        """w . F(params), a number."""
        leaves = self.outputs.leaves(self.function(params, *args))
        terms = [
            np.sum(self.weights[block.start : block.stop].reshape(block.shape) * leaf)
            for block, leaf in zip(self.outputs.blocks, leaves, strict=True)
        ]
        return sum(terms[1:], terms[0])

    def for_worker(self) -> Combination:
        """The same, with its own copy of a function that keeps state."""
        return replace(self, function=copy_for_worker(self.function))


@dataclass(frozen=True, eq=False)
class Claimed:
    """The claimed gradient of w . F: vjp(params, w).

    Parameters
    ----------
    vjp : callable(params, u, *args) -> J^T u, in the structure of params
    outputs, weights : as for Combination
    """

    vjp: Callable[..., Any]
    outputs: Outputs
    weights: Floats

    def __post_init__(self) -> None:
        name_like(self, self.vjp)

    def __call__(self, params: Any, *args: Any) -> Any:
        """J^T w."""
        return self.vjp(params, self.outputs.structure(self.weights), *args)


def random_weights(moved: MovedFunction, seed: int) -> Floats:
    """(m,) random weights, each over the size of its output; this takes 1 + LOOKS evaluations of F.

    The size of an output is that of its value, and of its change where each parameter moves by AWAY of
    itself.

    Parameters
    ----------
    moved : F at moved parameters
    seed : of the random numbers
    """
    rng, outputs = np.random.default_rng([seed, STREAM]), moved.outputs
    sizes = np.abs(outputs.values) + _changes(moved, AWAY, rng)
    noise = np.max([_changes(moved, BARELY, rng) for _ in range(LOOKS)], axis=0)
    sizes = np.maximum(sizes, ABOVE_NOISE * noise)
    for block in outputs.blocks:
        some = sizes[block.start : block.stop]
        some[some == 0] = np.sqrt(np.mean(np.square(some))) or 1.0 if some.size else 1.0
    signs = rng.choice([-1.0, 1.0], outputs.size)
    return np.asarray(signs * rng.uniform(1.0, 2.0, outputs.size) / 2.0 ** np.rint(np.log2(sizes)))


def _changes(moved: MovedFunction, share: float, rng: np.random.Generator) -> Floats:
    """(m,) how far each output moves where all parameters move by a share; 0 where it is not seen."""
    by = share * rng.choice([-1.0, 1.0], moved.parameters.size) * moved.sizes
    with np.errstate(all="ignore"):
        found = np.abs(moved(by) - moved.outputs.values)
    return np.where(np.isfinite(found), found, 0.0)
