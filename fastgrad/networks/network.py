"""Network: layers, a loss and a weight penalty.

A user makes one, and its `problem` is what a check takes. Parameters as named blocks and a batch X, Y
(samples, ...) go in; the cost, or its gradient by the same names, come out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from fastgrad.errors import InputError
from fastgrad.networks.base import Array, Blocks, Layer, require_methods
from fastgrad.networks.chain import Chain
from fastgrad.networks.dense import Dense
from fastgrad.networks.losses import Loss
from fastgrad.problem.problem import Problem

PENALISED = "weight"
"""The l2 penalty is of blocks with this name; biases, scales and shifts have none."""


class Network:
    """A feed-forward network whose gradient, or yours of the same network, is checked fast.

    Parameters
    ----------
    layers : Dense, Conv2D, MaxPool2D, ..., and activations, one after the other; or layers of your own, with
        the methods output_shape, initial, forward and backward
    loss : HalfSquaredError, MeanSquaredError, SoftmaxCrossEntropy or LogisticLoss; or a loss of your own,
        with the methods check, value and gradient
    l2 : 0.5 * l2 * the sum of squares of all blocks named "weight" is added to the cost

    Raises
    ------
    InputError
        For two layers that do not fit together, as soon as their sizes are known; for a layer or a loss
        without its methods.

    Examples
    --------
    >>> import numpy as np
    >>> import fastgrad
    >>> net = fastgrad.Network(
    ...     [fastgrad.Dense(4, 3), fastgrad.Tanh(), fastgrad.Dense(3, 2)], fastgrad.SoftmaxCrossEntropy()
    ... )
    >>> params = net.initial_parameters(seed=0)
    >>> list(params)
    ['0.weight', '0.bias', '2.weight', '2.bias']
    >>> X, Y = np.ones((5, 4)), np.array([0, 1, 1, 0, 1])
    >>> fastgrad.check(net.problem(params, X, Y)).verdict
    'agree'
    """

    def __init__(self, layers: Sequence[Layer], loss: Loss, l2: float = 0.0) -> None:
        self.chain = Chain(layers)
        require_methods("the loss", loss, ("check", "value"), "gradient")
        self.loss = loss
        self.l2 = float(l2)
        if not layers:
            raise InputError("a network has at least one layer", code="FG622")
        if not (np.isfinite(self.l2) and self.l2 >= 0):
            raise InputError(f"l2 must be a finite number >= 0; got {l2!r}", code="FG622")
        first = self.layers[0]
        if isinstance(first, Dense):  # `inputs` of a layer of the user's own may mean anything
            self.chain.shapes((first.inputs,))

    def __repr__(self) -> str:
        return f"Network({list(self.layers)}, loss={self.loss}, l2={self.l2:g})"

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers, as they were given."""
        return self.chain.layers

    def initial_parameters(self, seed: int = 0, dtype: npt.DTypeLike = np.float64) -> Blocks:
        """Random parameters as blocks named by layer: "0.weight", "0.bias", "2.weight", ...

        Parameters
        ----------
        seed : int
        dtype : float64 or float32
        """
        drawn = self.chain.initial(np.random.default_rng(seed))
        return {name: block.astype(dtype) for name, block in drawn.items()}

    def cost(self, params: Blocks, X: Any, Y: Any) -> float:
        """The loss of a batch plus the penalty.

        Parameters
        ----------
        params : blocks as initial_parameters gives them
        X : (samples, *shape), of the parameters' dtype; integers for an Embedding
        Y : targets as the loss takes them
        """
        X, Y = self.check_batch(params, X, Y)
        return self.loss.value(self.chain.forward(params, X)[-1], Y) + self.penalty(params)

    def gradient(self, params: Blocks, X: Any, Y: Any) -> Blocks:
        """The gradient of the cost by back-propagation, in the parameters' structure and dtype.

        Parameters
        ----------
        params, X, Y : as for cost
        """
        X, Y = self.check_batch(params, X, Y)
        values = self.chain.forward(params, X)
        dy = self.loss.gradient(values[-1], Y).astype(values[-1].dtype)
        _, found = self.chain.backward(params, values, dy)
        return {
            name: found[name] + self.l2 * block if is_penalised(name) else found[name]
            for name, block in params.items()
        }

    def problem(self, params: Blocks, X: Any, Y: Any, gradient: Any = None) -> Problem:
        """The Problem of a gradient of this network; of the network's own gradient if none is given.

        Parameters
        ----------
        params, X, Y : as for cost
        gradient : callable(params, X, Y) -> blocks, or blocks of values

        Raises
        ------
        InputError
            For parameters, inputs or targets that do not fit the network.
        """
        X, Y = self.check_batch(params, X, Y)
        own = self.gradient if gradient is None else gradient
        return Problem(self.cost, own, params, (X, Y), structure=self)

    def penalty(self, params: Blocks) -> float:
        """0.5 * l2 * the sum of squares of all weights, in float64."""
        if self.l2 == 0:
            return 0.0
        weights = (block.astype(np.float64) for name, block in params.items() if is_penalised(name))
        return 0.5 * self.l2 * sum(float(np.sum(w**2)) for w in weights)

    def check_batch(self, params: Blocks, X: Any, Y: Any) -> tuple[Array, Array]:
        """The inputs and targets as arrays.

        Raises
        ------
        InputError
            For layers that do not fit these inputs, an empty batch, missing or unknown blocks or blocks of
            wrong shapes, or targets that do not fit the loss.
        """
        self._check_blocks(params)
        inputs = np.asarray(X)
        if inputs.ndim < 1 or len(inputs) == 0:
            raise InputError(f"the batch is empty: X has shape {inputs.shape}", code="FG626")
        shape = self.chain.shapes(inputs.shape[1:])[-1]
        return inputs, self.loss.check(shape, len(inputs), Y)

    def _check_blocks(self, params: Blocks) -> None:
        expected = {name: block.shape for name, block in self._example.items()}
        missing = [name for name in expected if name not in params]
        unknown = [name for name in params if name not in expected]
        if missing or unknown:
            lines = [f"missing: {', '.join(missing)}"] * bool(missing)
            lines += [f"not of this network: {', '.join(unknown)}"] * bool(unknown)
            raise InputError(f"the parameters do not fit the network; {'; '.join(lines)}", code="FG625")
        for name, shape in expected.items():
            if np.shape(params[name]) != shape:
                raise InputError(
                    f"parameter {name} must have shape {shape}; got shape {np.shape(params[name])}",
                    code="FG625",
                )

    @property
    def _example(self) -> Blocks:
        if not hasattr(self, "_blocks"):
            self._blocks = self.chain.initial(np.random.default_rng(0))
        return self._blocks


def is_penalised(name: str) -> bool:
    """Whether the l2 penalty is of this block."""
    return name.rpartition(".")[2] == PENALISED
