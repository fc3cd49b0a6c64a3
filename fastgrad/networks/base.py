"""What every layer does."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from fastgrad.errors import InputError

Array = npt.NDArray[Any]
Blocks = dict[str, Array]
"""Named arrays: a layer's own parameters or their gradients, by bare names such as "weight"."""

Shape = tuple[int, ...]


class Layer(Protocol):
    """One layer as plain functions of its parameters and its input; it holds no state.

    `x` has shape (samples, *shape); parameters are named arrays that the caller keeps. A layer of your own
    has these methods; a check evaluates it by its `forward`, a whole batch at a time.
    """

    def output_shape(self, shape: Shape) -> Shape:
        """The shape of one sample's output; InputError where an input of that shape does not fit."""

    def initial(self, rng: np.random.Generator) -> Blocks:
        """Random parameters to start from, float64, by bare names; empty where there are none."""

    def forward(self, p: Blocks, x: Array) -> Array:
        """The output for a batch."""

    def backward(self, p: Blocks, x: Array, dy: Array) -> tuple[Array, Blocks]:
        """The gradients with respect to x and to each parameter, from that of the output."""


def require_methods(what: str, part: object, names: tuple[str, ...], for_gradient: str) -> None:
    """Refuse a layer or a loss that lacks a method, and a class where an object of it is meant."""
    if isinstance(part, type):
        raise InputError(f"{what} is the class {part.__name__}: pass an object of it, {part.__name__}(...)")
    missing = [name for name in names if not callable(getattr(part, name, None))]
    if missing:
        raise InputError(
            f"{what}, {part!r}, has no method {', '.join(missing)}: it needs {', '.join(names)}, and "
            f"{for_gradient} for the network's own gradient"
        )


def expect_features(layer: object, shape: Shape, features: int) -> None:
    """Refuse an input whose last axis is not `features` long."""
    if not shape or shape[-1] != features:
        raise InputError(f"{layer} takes {features} features; its input has shape {shape} for each sample")


def expect_image(layer: object, shape: Shape, channels: int | None = None) -> None:
    """Refuse an input that is not (channels, height, width), or has another number of channels."""
    if len(shape) != 3 or (channels is not None and shape[0] != channels):
        wanted = "channels" if channels is None else str(channels)
        raise InputError(
            f"{layer} takes images of shape ({wanted}, height, width); its input has shape {shape} for "
            "each sample"
        )
