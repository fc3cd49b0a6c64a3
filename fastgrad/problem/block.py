"""One array among the parameters: its name, its shape, where it starts in the flat vector, its typical size.

`Parameters` makes the blocks, and calls `parameter_leaf` to see what may be a parameter. Error messages name
the leaf as the user would.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from fastgrad.arrays import PIECE, FloatArray, is_private_map, pieces, root_mean_square
from fastgrad.errors import InputError
from fastgrad.printable import shown_name
from fastgrad.problem.describe import describe, joined_names
from fastgrad.problem.kinds import complex_parts
from fastgrad.problem.kinds.form import Form
from fastgrad.problem.kinds.registry import form_of, to_array

SMALLEST_TYPICAL_SIZE = 1e-3
"""The least typical size of a block that is not all zeros. The step is proportional to the typical size.
Weights that start near zero act on a cost whose scale is 1, and with a step far under 1e-8 the differences
would be rounding error only (docs/numerics.md, Step)."""

_NO_OTHER = "pass np.asarray(...) of it, and turn it back in the cost"


@dataclass(frozen=True)
class Block:
    """One array among the parameters."""

    name: str
    """As the user's keys give it, whatever is in them."""
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    start: int
    """The flat index of the block's first coordinate."""
    shown: str = field(default="", compare=False)
    """The name as it is printed: short, and without characters that act on a terminal."""
    form: Form | None = field(default=None, compare=False, repr=False)
    """What the user gave, if that was no plain array."""

    def __post_init__(self) -> None:
        if not self.shown:
            object.__setattr__(self, "shown", shown_name(self.name))

    @property
    def size(self) -> int:
        """The number of coordinates in the block."""
        return prod(self.shape)

    @property
    def shape_as_given(self) -> tuple[int, ...]:
        """The shape of the user's own array, whose entries are pairs of coordinates where it is complex."""
        return self.shape[:-1] if self.form is not None and self.form.is_complex else self.shape

    @property
    def stop(self) -> int:
        """The flat index after the block's last coordinate."""
        return self.start + self.size

    def index(self, flat_index: int) -> tuple[int, ...]:
        """The index inside the block of the coordinate with this flat index."""
        return tuple(int(i) for i in np.unravel_index(flat_index - self.start, self.shape))

    def label(self, flat_index: int) -> str:
        """A coordinate in the user's terms: "W2[17, 3]", or the bare name of a scalar block.

        Where the user's array has labels these take the place of the index: "params['alpha']". Of complex
        numbers each coordinate is a part: "z[3].imag".
        """
        index = self.index(flat_index)
        if self.form is not None and self.form.is_complex:
            return complex_parts.label(self.shown, index)
        if not index:
            return self.shown
        labels = self.form.label if self.form is not None else None
        inside = ", ".join(map(str, index)) if labels is None else labels(index)
        return f"{self.shown}[{inside}]"


def typical_size(leaf: FloatArray) -> float:
    """The typical size of a block: its rms, at least SMALLEST_TYPICAL_SIZE; 1 for a block of zeros."""
    rms = root_mean_square(leaf)
    return 1.0 if rms == 0 else max(rms, SMALLEST_TYPICAL_SIZE)


def parameter_leaf(leaf: object, name: str, is_root: bool = False) -> tuple[FloatArray, Form | None]:
    """A leaf of the parameters as a float32 or float64 array of finite numbers, in native byte order.

    Parameters
    ----------
    leaf : what the user gave
    name : as messages call it
    is_root : whether it is all of the parameters

    Returns
    -------
    array, Form
        The form says how the user's kind is made again; None for a plain array.

    Raises
    ------
    InputError
        With the leaf's name, for anything else.
    """
    what = f"parameter {name}"
    form = form_of(leaf, what, is_root)
    array = to_array(leaf, what, is_root)
    if form is not None and form.is_complex:
        array = complex_parts.real_parts(array)
    if array.dtype.type not in (np.float32, np.float64):
        raise InputError(
            f"{what} must be a float32 or float64 array; got {describe(leaf)}. "
            + _dtype_advice(array, name, isinstance(leaf, np.ndarray)),
            code="FG101",
        )
    if form is None and not isinstance(leaf, np.ndarray):
        raise InputError(
            f"{what} is of type {type(leaf).__name__}, of which no other is made: {_NO_OTHER}", code="FG105"
        )
    _require_finite(array, name, form)
    native = array.dtype.newbyteorder("=")
    if is_private_map(array) or native != array.dtype:
        return np.array(array, dtype=native, subok=False), form
    return array, form


def _require_finite(array: FloatArray, name: str, form: Form | None) -> None:
    flat = array.reshape(-1)
    for i, piece in enumerate(pieces(flat)):
        finite = np.isfinite(piece)
        if not finite.all():
            at = i * PIECE + int(np.argmin(finite))
            label = Block(name, array.shape, array.dtype, 0, name, form).label(at)
            raise InputError(
                f"parameter {label} is {flat[at]}: a gradient can only be checked at finite parameters",
                code="FG104",
            )


def _dtype_advice(array: npt.NDArray[Any], name: str, is_array: bool) -> str:
    dtype = array.dtype
    if dtype.kind in "iub":
        as_float = f"np.array({name}, dtype=float)" if array.shape else f"float({name})"
        return f"An integer cannot be perturbed: pass {f'{name}.astype(float)' if is_array else as_float}."
    if dtype.kind == "c":
        return f"Pass {name}.astype(np.complex128) or np.complex64."
    if dtype.kind == "f":
        return f"Pass {name}.astype(np.float64) or np.float32."
    if dtype.kind == "O" and is_array:
        return f"Pass {name}.astype(float) if these are numbers."
    if dtype.names:
        return "Pass its fields as blocks: {field: array[field] for field in array.dtype.names}."
    return "Pass arrays of numbers."


def describe_blocks(blocks: Sequence[Block]) -> str:
    """The blocks with their shapes, for error messages; of many only the first."""
    return "{" + joined_names([f"{b.shown}: {b.shape_as_given}" for b in blocks]) + "}"
