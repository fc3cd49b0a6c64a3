"""Which parts of a network are exactly those written in this package, and may be computed by a rule.

A rule (a compiled kernel, a formula for a change) replaces some methods of a class. It stands for a part only
where all of these methods are the class's own: not for a subclass that overrides one, nor for an object whose
attribute shadows one. What no rule stands for is evaluated by its own methods.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from types import FunctionType
from typing import Any

import numpy as np

from fastgrad.networks.activations import ELU, GELU, LeakyReLU, ReLU, Sigmoid, SiLU, Softplus, Tanh
from fastgrad.networks.base import Blocks, Shape
from fastgrad.networks.chain import Chain
from fastgrad.networks.conv2d import Conv2D
from fastgrad.networks.dense import Dense
from fastgrad.networks.dropout import Dropout
from fastgrad.networks.embedding import Embedding
from fastgrad.networks.losses import HalfSquaredError, LogisticLoss, MeanSquaredError, SoftmaxCrossEntropy
from fastgrad.networks.network import Network
from fastgrad.networks.normalisation import BatchNorm, LayerNorm
from fastgrad.networks.pooling import AvgPool2D, MaxPool2D
from fastgrad.networks.residual import Residual
from fastgrad.networks.shaping import Flatten

NOT_OF_THE_COST = frozenset({"backward", "slope", "gradient", "initial", "initial_parameters", "problem"})
"""Methods that a subclass may override and keep its rule: the cost at given parameters does not call them."""

Shapes = Callable[[Any], dict[str, Shape]]

_SHAPES: dict[type, Shapes] = {
    Dense: lambda d: {"weight": (d.inputs, d.outputs), "bias": (d.outputs,)},
    Conv2D: lambda c: {"weight": (c.filters, c.channels, c.size, c.size), "bias": (c.filters,)},
    BatchNorm: lambda n: {"scale": (n.features,), "shift": (n.features,)},
    LayerNorm: lambda n: {"scale": (n.features,), "shift": (n.features,)},
    Embedding: lambda e: {"weight": (e.count, e.features)},
}
"""The blocks that a class's rules take for granted; a subclass may start from others, say a bias of one entry
for all units."""

_ACTIVATIONS = (Sigmoid, Tanh, ReLU, LeakyReLU, ELU, Softplus, SiLU, GELU)
_LAYERS = (Dense, Conv2D, BatchNorm, LayerNorm, Embedding, Dropout, Flatten, MaxPool2D, AvgPool2D, Residual)
_LOSSES = (HalfSquaredError, MeanSquaredError, SoftmaxCrossEntropy, LogisticLoss)


class _Known:
    """What must be as it was written, when this module was imported, for the rules of one class to stand."""

    def __init__(self, kind: type) -> None:
        names = _method_names(kind) - NOT_OF_THE_COST
        self.methods = {name: getattr(kind, name) for name in names}
        # Rules take each field for a single number: an array of slopes is none.
        self.numbers = tuple(field.name for field in fields(kind)) if is_dataclass(kind) else ()

    def stands_for(self, part: Any) -> bool:
        """Whether the part computes as its known class does."""
        cls = type(part)
        return (
            all(getattr(cls, name) is method for name, method in self.methods.items())
            and self.methods.keys().isdisjoint(vars(part))
            and all(_is_number(getattr(part, name)) for name in self.numbers)
        )


def _method_names(kind: type) -> set[str]:
    return {
        name
        for base in kind.__mro__
        for name, value in vars(base).items()
        if isinstance(value, FunctionType | property | staticmethod) and not name.startswith("__")
    }


def _is_number(value: Any) -> bool:
    return value is None or np.isscalar(value)


_KNOWN = {kind: _Known(kind) for kind in (*_ACTIVATIONS, *_LAYERS, *_LOSSES, Chain, Network)}


def kind_of(part: Any) -> type | None:
    """The class of this package that a layer, a loss, a chain or a network computes exactly as; None if none.

    Examples
    --------
    >>> class Start(Dense):
    ...     def initial(self, rng):
    ...         return {"weight": np.eye(2), "bias": np.zeros(2)}
    >>> class Twice(Dense):
    ...     def forward(self, p, x):
    ...         return 2 * super().forward(p, x)
    >>> kind_of(Start(2, 2)), kind_of(Twice(2, 2))
    (<class 'fastgrad.networks.dense.Dense'>, None)
    """
    kind = next((base for base in type(part).__mro__ if base in _KNOWN), None)
    if kind is None or not _KNOWN[kind].stands_for(part):
        return None
    if kind in (Residual, Network) and kind_of(part.chain) is not Chain:
        return None
    return kind


def layer_kind(layer: Any, p: Blocks) -> type | None:
    """The same for a layer with its own parameters, which must be the blocks that its rules know."""
    kind = kind_of(layer)
    shapes = _SHAPES.get(kind) if kind is not None else None
    if shapes is not None and {name: np.shape(block) for name, block in p.items()} != shapes(layer):
        return None
    return kind


def is_entirely_ours(network: Any) -> bool:
    """Whether network, layers and loss are of this package's own classes: functions without any state.

    A subclass is not, whatever it overrides: its gradient too may be its own.
    """
    if type(network) is not Network or kind_of(network) is None:
        return False
    return _is_ours(network.loss) and all(_is_ours(layer) for layer in network.layers)


def is_own_method(function: Any, structure: Any, name: str) -> bool:
    """Whether a function is the method of that name of a network that is entirely ours.

    Such a function keeps nothing from call to call, and is safe in threads.
    """
    return is_entirely_ours(structure) and function == getattr(structure, name)


def _is_ours(part: Any) -> bool:
    if kind_of(part) is not type(part) or not _method_names(type(part)).isdisjoint(vars(part)):
        return False
    return not isinstance(part, Residual) or all(_is_ours(layer) for layer in part.chain.layers)
