"""One array among the parameters: its name, its shape, where it starts in the flat vector, its typical size.

`Parameters` makes the blocks and calls the two checks of a leaf: `parameter_leaf` for what may be a
parameter, `matching_leaf` for what may be the claimed gradient of one. Error messages name the leaf as the
user would.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastgrad.arrays import PIECE, FloatArray, is_private_map, pieces, root_mean_square
from fastgrad.errors import InputError

SMALLEST_TYPICAL_SIZE = 1e-3
"""The least typical size of a block that is not all zeros. The step is proportional to the typical size.
Weights that start near zero act on a cost whose scale is 1, and with a step far under 1e-8 the differences
would be rounding error only (docs/numerics.md, Step)."""


@dataclass(frozen=True)
class Block:
    """One array among the parameters."""

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    start: int
    """The flat index of the block's first coordinate."""

    @property
    def size(self) -> int:
        """The number of coordinates in the block."""
        return int(np.prod(self.shape, dtype=np.int64))

    @property
    def stop(self) -> int:
        """The flat index after the block's last coordinate."""
        return self.start + self.size

    def index(self, flat_index: int) -> tuple[int, ...]:
        """The index inside the block of the coordinate with this flat index."""
        return tuple(int(i) for i in np.unravel_index(flat_index - self.start, self.shape))

    def label(self, flat_index: int) -> str:
        """A coordinate in the user's terms: "W2[17, 3]", or the bare name of a scalar block."""
        index = self.index(flat_index)
        return f"{self.name}[{', '.join(map(str, index))}]" if index else self.name


def typical_size(leaf: FloatArray) -> float:
    """The typical size of a block: its rms, at least SMALLEST_TYPICAL_SIZE; 1 for a block of zeros."""
    rms = root_mean_square(leaf)
    return 1.0 if rms == 0 else max(rms, SMALLEST_TYPICAL_SIZE)


def parameter_leaf(leaf: object, name: str) -> FloatArray:
    """A leaf of the parameters as a float32 or float64 array of finite numbers, in native byte order.

    Raises
    ------
    InputError
        With the leaf's name, for anything else.
    """
    if isinstance(leaf, np.ma.MaskedArray):
        raise InputError(f"parameter {name} is a masked array: pass {name}.filled(...) or its valid entries")
    array = _as_array(leaf, f"parameter {name}")
    if array.dtype.type not in (np.float32, np.float64):
        raise InputError(
            f"parameter {name} must be a float32 or float64 array; got {describe(leaf)}. "
            + _dtype_advice(array.dtype, name, isinstance(leaf, np.ndarray))
        )
    _require_finite(array, name)
    native = array.dtype.newbyteorder("=")
    if is_private_map(array) or native != array.dtype:
        return np.array(array, dtype=native, subok=False)
    return array


def _require_finite(array: FloatArray, name: str) -> None:
    flat = array.reshape(-1)
    for i, piece in enumerate(pieces(flat)):
        finite = np.isfinite(piece)
        if not finite.all():
            at = i * PIECE + int(np.argmin(finite))
            label = Block(name, array.shape, array.dtype, 0).label(at)
            raise InputError(
                f"parameter {label} is {flat[at]}: a gradient can only be checked at finite parameters"
            )


def _dtype_advice(dtype: np.dtype[Any], name: str, is_array: bool) -> str:
    if dtype.kind in "iub":
        as_float = f"{name}.astype(float)" if is_array else f"float({name})"
        return f"An integer cannot be perturbed: pass {as_float}."
    if dtype.kind == "c":
        return "Pass its real and imaginary parts as two blocks."
    if dtype.kind == "f":
        return f"Pass {name}.astype(np.float64) or np.float32."
    return "Pass arrays of numbers."


def _as_array(leaf: object, what: str) -> FloatArray:
    try:
        return np.asarray(leaf)
    except Exception as error:
        join = ". Join the pieces: np.concatenate((a.ravel(), b.ravel()))" * isinstance(leaf, list | tuple)
        raise InputError(f"{what} is not an array: got {describe(leaf)}{join}") from error


def matching_leaf(leaf: object, block: Block, what: str) -> FloatArray:
    """A leaf of a gradient as a flat array.

    Parameters
    ----------
    leaf : what the user gave
    block : the block whose gradient it is
    what : "gradient", or how else messages call the whole structure

    Raises
    ------
    InputError
        Unless the leaf has a float dtype and the shape of its block.
    """
    array = _as_array(leaf, f"the {what} of {block.name}")
    if array.dtype.kind != "f":
        hint = " (integers drop the fraction: compute it in floats)" * (array.dtype.kind in "iub")
        hint += ". Is a return missing?" * (leaf is None)
        raise InputError(f"the {what} of {block.name} must hold real floats; got {describe(leaf)}{hint}")
    if array.shape != block.shape:
        hint = ""
        if array.ndim == 2 and array.shape[::-1] == block.shape:
            hint = ": transposed?"
        elif array.size == block.size:
            hint = ": the size is right, reshape it"
        raise InputError(
            f"the {what} of {block.name} must have shape {block.shape}, as the parameter has; "
            f"got shape {array.shape}{hint}"
        )
    return array.reshape(-1)


def describe_blocks(blocks: Sequence[Block]) -> str:
    """All blocks with their shapes, for error messages."""
    return "{" + ", ".join(f"{b.name}: {b.shape}" for b in blocks) + "}"


def describe(value: object) -> str:
    """A value in a few words, for error messages."""
    if isinstance(value, np.ndarray):
        return f"{value.dtype} array of shape {value.shape}"
    if isinstance(value, dict):
        return f"a dict with keys {list(value)}"
    if isinstance(value, list | tuple):
        return f"a {type(value).__name__} of length {len(value)}"
    return f"{type(value).__name__} {value!r:.60}"
