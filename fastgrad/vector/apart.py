"""What a vector-Jacobian product says of the pattern of J: axes along which parameters and outputs go apart.

    tanh(x)              each output depends on the parameter at its own place: apart along all axes
    softmax over rows    apart along the axis of the rows

An axis is apart if J^T (u on some of its places) is zero at all other places, and J^T u at these. Places are
told apart by the binary digits of their numbers, so that an axis of s places takes log2(s) products. A dense
function is told by the first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fastgrad.arrays import Floats, IndexArray
from fastgrad.problem.block import Block
from fastgrad.problem.parameters import Parameters
from fastgrad.vector.groups import LARGEST_PATTERN
from fastgrad.vector.outputs import Outputs

SMALLEST = 32
"""Parameters from which it is asked: fewer are quickly moved one by one."""

SAME = 2.0**-16
"""How near products of a part must be to those of the whole: they may be computed in float32."""

Product = Callable[[Floats], Floats]
"""u (m,) -> J^T u (n,)"""


@dataclass(frozen=True)
class _Pair:
    """An axis of the output, and the axis of a block of parameters that may go with it."""

    block: int
    output_axis: int
    axis: int


def pattern_of(vjp: Product, parameters: Parameters, outputs: Outputs, weights: Floats) -> Any:
    """The pattern that a product shows, as scipy.sparse CSC (m, n); None where it shows none.

    Parameters
    ----------
    vjp : u (m,) -> J^T u (n,), at the parameters
    parameters, outputs : whose Jacobian it is
    weights : (m,) some random u
    """
    if parameters.size < SMALLEST or len(outputs.blocks) != 1 or not outputs.blocks[0].shape:
        return None
    pairs = _apart(vjp, parameters, outputs.blocks[0], weights)
    return _pattern(pairs, parameters, outputs) if pairs else None


def _apart(vjp: Product, parameters: Parameters, output: Block, weights: Floats) -> list[_Pair]:
    """All pairs of axes that are apart."""
    found: list[_Pair] = []
    whole = None
    for axis, size in enumerate(output.shape):
        pairs = [
            _Pair(number, axis, other)
            for number, block in enumerate(parameters.blocks)
            for other in _alike(output.shape, axis, block.shape)
        ]
        digit = 0
        while pairs and size >> digit > 0 and size > 1:
            if whole is None:
                whole = vjp(weights)
            some = (np.arange(size) >> digit) % 2 == 1
            mask = np.broadcast_to(_along(some, axis, len(output.shape)), output.shape).reshape(-1)
            part = vjp(weights * mask)
            pairs = [pair for pair in pairs if _goes_apart(pair, some, part, whole, parameters)]
            digit += 1
        found += pairs
    return found


def _alike(shape: tuple[int, ...], axis: int, other: tuple[int, ...]) -> set[int]:
    """Axes of another shape of the same size: at the same place, counted from the left or the right."""
    places = {axis, axis - len(shape) + len(other)}
    return {place for place in places if 0 <= place < len(other) and other[place] == shape[axis]}


def _along(some: npt.NDArray[Any], axis: int, axes: int) -> npt.NDArray[Any]:
    return some.reshape([-1 if a == axis else 1 for a in range(axes)])


def _goes_apart(
    pair: _Pair, some: npt.NDArray[np.bool_], part: Floats, whole: Floats, parameters: Parameters
) -> bool:
    """Whether J^T u of some places along the axis is that of all at these, and zero at the others."""
    block = parameters.blocks[pair.block]
    here = _along(some, pair.axis, len(block.shape))
    mine, all_of_it = (g[block.start : block.stop].reshape(block.shape) for g in (part, whole))
    with np.errstate(invalid="ignore"):
        near = np.abs(mine - all_of_it) <= SAME * np.abs(all_of_it)
    return bool(np.where(here, near, mine == 0).all())


def _pattern(pairs: list[_Pair], parameters: Parameters, outputs: Outputs) -> Any:
    """The pattern where pairs of axes go apart; None where it has too many entries."""
    from scipy import sparse

    output = outputs.blocks[0]
    columns = []
    for number, block in enumerate(parameters.blocks):
        axes = {pair.output_axis: pair.axis for pair in pairs if pair.block == number}
        if len(set(axes.values())) < len(axes):  # an axis that goes with two cannot be
            axes = {}
        free = [size for axis, size in enumerate(output.shape) if axis not in axes]
        if block.size * int(np.prod(free)) > LARGEST_PATTERN:
            return None
        columns.append(_rows(axes, block, output))
    lengths = np.concatenate([np.full(len(rows), rows.shape[1]) for rows in columns])
    indptr = np.concatenate(([0], np.cumsum(lengths)))
    if indptr[-1] > LARGEST_PATTERN:
        return None
    indices = np.concatenate([rows.reshape(-1) for rows in columns])
    return sparse.csc_array(
        (np.ones(len(indices), dtype=np.int8), indices, indptr), (outputs.size, parameters.size)
    )


def _rows(axes: dict[int, int], block: Block, output: Block) -> IndexArray:
    """(columns of the block, rows of each) flat numbers of the outputs that each column may move."""
    places = np.indices(block.shape).reshape(len(block.shape), -1) if block.shape else np.zeros((0, 1), int)
    strides = [int(np.prod(output.shape[axis + 1 :])) for axis in range(len(output.shape))]
    rows = np.zeros((block.size, 1), dtype=np.intp)
    for axis, stride in enumerate(strides):
        if axis in axes:
            rows = rows + stride * places[axes[axis]][:, None]
        else:
            free = stride * np.arange(output.shape[axis])
            rows = (rows[:, :, None] + free).reshape(block.size, -1)
    return np.sort(rows, axis=1)
