"""What a layer is, and what layers have in common.

A batch (samples, ...) and the layer's own parameters, as named arrays, go in; activations and gradients come
out. `Chain` and the network engine call the methods.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from fastgrad.errors import InputError

Array = npt.NDArray[Any]
Blocks = dict[str, Array]
"""Parameters or their gradients as named arrays: by bare names such as "weight" for a single layer."""

Shape = tuple[int, ...]


class Layer(Protocol):
    """One layer: functions of its parameters and its input, without state.

    `x` has shape (samples, *shape). The caller keeps the parameters and passes them in as named arrays. A
    layer of your own has these methods, and a check calls its `forward` with whole batches.
    """

    def output_shape(self, shape: Shape) -> Shape:
        """The shape of one sample's output; raises InputError where an input of that shape does not fit."""

    def initial(self, rng: np.random.Generator) -> Blocks:
        """Random parameters in float64 by their bare names; empty for a layer without parameters."""

    def forward(self, p: Blocks, x: Array) -> Array:
        """The output for a batch."""

    def backward(self, p: Blocks, x: Array, dy: Array) -> tuple[Array, Blocks]:
        """The gradients with respect to x and to each parameter, from the gradient dy of the output."""


class WithoutParameters:
    """What layers without parameters have in common."""

    def initial(self, rng: np.random.Generator) -> Blocks:
        """No parameters."""
        del rng
        return {}


def require_methods(what: str, part: object, names: tuple[str, ...], for_gradient: str) -> None:
    """Refuse a layer or a loss that lacks a method, and a class in place of an object of it."""
    if isinstance(part, type):
        raise InputError(
            f"{what} is the class {part.__name__}: pass an object of it, {part.__name__}(...)", code="FG620"
        )
    missing = [name for name in names if not callable(getattr(part, name, None))]
    if missing:
        raise InputError(
            f"{what}, {part!r}, has no method {', '.join(missing)}: it needs {', '.join(names)}, and "
            f"{for_gradient} for the network's own gradient",
            code="FG620",
        )


def expect_features(layer: object, shape: Shape, features: int) -> None:
    """Refuse an input whose last axis is not `features` long."""
    if not shape or shape[-1] != features:
        raise InputError(
            f"{layer} takes {features} features; its input has shape {shape} for each sample", code="FG621"
        )


def expect_image(layer: object, shape: Shape, channels: int | None = None) -> None:
    """Refuse an input that is not (channels, height, width), or has another number of channels."""
    if len(shape) != 3 or (channels is not None and shape[0] != channels):
        wanted = "channels" if channels is None else str(channels)
        raise InputError(
            f"{layer} takes images of shape ({wanted}, height, width); its input has shape {shape} for "
            "each sample",
            code="FG621",
        )
