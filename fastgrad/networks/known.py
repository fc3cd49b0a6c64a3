"""Which layers, losses and networks compute exactly what a class of this package computes.

A rule of the network engine (a compiled kernel, a formula for a change) replaces methods of such a class. It
applies to an object only if all these methods are those of the class: not if the object's class overrides
one, nor if an attribute of the object hides one. Objects without a rule are evaluated by their own methods.

The engine asks `kind_of` and `layer_kind`; `preflight` and `strategy` ask whether a cost can keep state.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from types import FunctionType
from typing import Any

import numpy as np

from fastgrad.networks.activations import ELU, GELU, LeakyReLU, ReLU, Sigmoid, SiLU, Softplus, Tanh
from fastgrad.networks.base import Blocks, Layer, Shape
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
"""The blocks that the rules of a class need. A subclass may have others, such as a bias of one entry for all
units."""

ACTIVATIONS = (Sigmoid, Tanh, ReLU, LeakyReLU, ELU, Softplus, SiLU, GELU)
LAYERS = (Dense, Conv2D, BatchNorm, LayerNorm, Embedding, Dropout, Flatten, MaxPool2D, AvgPool2D, Residual)
LOSSES = (HalfSquaredError, MeanSquaredError, SoftmaxCrossEntropy, LogisticLoss)
PUBLIC = (*ACTIVATIONS, *LAYERS, *LOSSES, Network)
"""The classes that users build networks from."""


class _Known:
    """The methods of one class as they were on import: its rules apply to objects with the same."""

    def __init__(self, kind: type) -> None:
        names = _method_names(kind) - NOT_OF_THE_COST
        self.methods = {name: getattr(kind, name) for name in names}
        # The rules need a single number in each field, where a caller may have put an array of slopes.
        self.numbers = tuple(field.name for field in fields(kind)) if is_dataclass(kind) else ()

    def computes_as(self, part: object) -> bool:
        """Whether an object computes what the class computes."""
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


def _is_number(value: object) -> bool:
    return value is None or np.isscalar(value)


_KNOWN = {kind: _Known(kind) for kind in (*PUBLIC, Chain)}


def kind_of(part: object) -> type | None:
    """The class of this package that a layer, loss, chain or network computes exactly as; None for no class.

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
    if kind is None or not _KNOWN[kind].computes_as(part):
        return None
    if isinstance(part, Residual | Network) and kind_of(part.chain) is not Chain:
        return None
    return kind


def layer_kind(layer: Layer, p: Blocks) -> type | None:
    """The class that a layer computes exactly as; None also where `p` lacks blocks that its rules need."""
    kind = kind_of(layer)
    shapes = _SHAPES.get(kind) if kind is not None else None
    if shapes is not None and {name: np.shape(block) for name, block in p.items()} != shapes(layer):
        return None
    return kind


def is_entirely_ours(network: object) -> bool:
    """Whether a network, its layers and its loss are objects of this package's classes, which keep no state.

    Objects of subclasses do not count, since a subclass may override the gradient too.
    """
    if type(network) is not Network or kind_of(network) is None:
        return False
    return _is_ours(network.loss) and all(_is_ours(layer) for layer in network.layers)


def is_own_method(function: object, structure: object, name: str) -> bool:
    """Whether a function is the method of that name of a network that is entirely of this package's classes.

    Such a function keeps no state from call to call, and is safe in threads.
    """
    return is_entirely_ours(structure) and bool(function == getattr(structure, name))


def _is_ours(part: object) -> bool:
    if kind_of(part) is not type(part) or not _method_names(type(part)).isdisjoint(vars(part)):
        return False
    return not isinstance(part, Residual) or all(_is_ours(layer) for layer in part.chain.layers)
