"""The outputs of a vector function as named blocks over one flat vector, and numbers in their structure.

Notation: F = the function, x = its parameters (n numbers), y = F(x) its outputs (m numbers).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import optree

from fastgrad.arrays import Floats
from fastgrad.errors import InputError
from fastgrad.printable import shown_names
from fastgrad.problem.block import Block, describe_blocks
from fastgrad.problem.describe import describe
from fastgrad.problem.kinds.registry import form_of, to_array
from fastgrad.problem.structure import block_names, flatten, refuse_repeated

ROOT = "output"
"""What the outputs are called where F returns one array."""


@dataclass(frozen=True, eq=False)
class Outputs:
    """What F returned at the parameters: its structure, its blocks and its numbers.

    Examples
    --------
    >>> outputs = Outputs.of({"a": np.array([1.0, 2.0]), "b": 3.0})
    >>> outputs.size, outputs.label(1), outputs.flat({"a": [4.0, 5.0], "b": 6.0})
    (3, 'a[1]', array([4., 5., 6.]))
    """

    spec: optree.PyTreeSpec
    blocks: tuple[Block, ...]
    values: Floats
    """(m,)"""

    @classmethod
    def of(cls, returned: Any) -> Outputs:
        """From what F returned.

        Raises
        ------
        InputError
            For what holds no real floating point numbers, and for numbers that are not finite.
        """
        leaves, spec = flatten(returned, "the outputs")
        names = block_names(spec)
        refuse_repeated(names)
        is_root = optree.treespec_is_leaf(spec)
        names = [ROOT] if is_root else names
        blocks, arrays, start = [], [], 0
        for leaf, name, shown in zip(leaves, names, shown_names(names), strict=True):
            array = _numbers(leaf, f"output {shown}")
            form = None if isinstance(leaf, np.generic) else form_of(leaf, f"output {shown}", is_root)
            blocks.append(Block(name, array.shape, array.dtype, start, shown, form))
            arrays.append(array.astype(np.float64).reshape(-1))
            start += array.size
        values = np.concatenate(arrays) if arrays else np.empty(0)
        if not values.size:
            raise InputError(
                f"the function must return at least one number; got {describe(returned)}", code="FG701"
            )
        outputs = cls(spec, tuple(blocks), values)
        if not np.isfinite(values).all():
            at = int(np.argmin(np.isfinite(values)))
            raise InputError(
                f"{outputs.label(at)} is {values[at]} at the parameters: derivatives can only be checked "
                "where all outputs are finite",
                code="FG702",
            )
        return outputs

    @property
    def size(self) -> int:
        """m, the number of outputs."""
        return len(self.values)

    @property
    def epsilon(self) -> float:
        """Machine epsilon of the coarsest dtype among the outputs."""
        return max(float(np.finfo(block.dtype).eps) for block in self.blocks)

    def label(self, k: int) -> str:
        """An output in the user's terms, such as "output[3, 1]"."""
        return next(block for block in self.blocks if k < block.stop).label(k)

    def structure(self, flat: Floats) -> Any:
        """Numbers (m,) in the structure, the dtypes and the kinds of what F returned."""
        return in_structure(self.spec, self.blocks, flat)

    def flat(self, returned: Any) -> Floats:
        """(m,) the numbers of another answer of F.

        Raises
        ------
        InputError
            Where its structure or a shape is another one than at the parameters.
        """
        return np.concatenate(
            [np.asarray(leaf, dtype=np.float64).reshape(-1) for leaf in self.leaves(returned)]
        )

    def leaves(self, returned: Any) -> list[Any]:
        """The arrays of another answer of F, block by block; what F recorded stays as it is.

        Raises
        ------
        InputError
            As for `flat`.
        """
        try:
            leaves = self.spec.flatten_up_to(returned)
        except ValueError:
            raise self._another(returned) from None
        found = []
        for block, leaf in zip(self.blocks, leaves, strict=True):
            array: Any = (
                leaf if hasattr(leaf, "__array_function__") else to_array(leaf, f"output {block.shown}")
            )
            if np.shape(array) != block.shape:
                raise self._another(returned)
            found.append(array)
        return found

    def _another(self, returned: Any) -> InputError:
        return InputError(
            f"the function must return the same structure at each call: at the parameters it was "
            f"{describe_blocks(self.blocks)}, then came {describe(returned)}",
            code="FG703",
        )


def in_structure(spec: optree.PyTreeSpec, blocks: Sequence[Block], flat: Floats) -> Any:
    """Numbers, flat, in the structure, the dtypes and the kinds that the user gave or returned."""
    made = []
    for block in blocks:
        array = flat[block.start : block.stop].astype(block.dtype).reshape(block.shape)
        if block.form is not None:
            array = block.form.rebuild(array)
        made.append(array if block.shape or block.form is not None else array[()])
    return optree.tree_unflatten(spec, made)


def _numbers(leaf: Any, what: str) -> Any:
    array = to_array(leaf, what)
    if array.dtype.kind != "f":
        advice = "Return its real and imaginary parts" if array.dtype.kind == "c" else "Return floats"
        raise InputError(
            f"{what} must hold real floating point numbers; got {describe(leaf)}. {advice}", code="FG701"
        )
    return array


Function = Callable[..., Any]
"""F(params, *args) -> an array, or a structure of arrays."""
