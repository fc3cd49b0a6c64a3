"""A private copy of the parameters, which is perturbed in place of the user's arrays.

Engines, the calls of the gradient function and the witnesses each make their own. The same object shows
whether a user's function wrote to its parameters.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from fastgrad.arrays import PIECE, FloatArray, IndexArray, pieces
from fastgrad.problem.parameters import Parameters

MANY_BLOCKS = 64
"""Blocks from which they are compared together first: of 10^5 of one number each that takes 20 ms in place of
500."""


class WorkingCopy:
    """A private copy of the parameters, in the user's structure.

    Leaves reach a worker process as copy-on-write memory maps. These are private already and are not copied:
    the system copies only the pages that are perturbed.

    Parameters
    ----------
    parameters : Parameters
    dtype : of the copies, such as complex128; None for the dtype of each leaf
    """

    def __init__(self, parameters: Parameters, dtype: npt.DTypeLike | None = None) -> None:
        self.parameters = parameters
        self.flat_leaves = [_private(leaf, dtype) for leaf in parameters.leaves]
        self._shaped_leaves = parameters.shaped(self.flat_leaves)
        self.structure = parameters.build(self._shaped_leaves)

    def first_rebound(self) -> str | None:
        """The name of the first block whose array in `structure` was replaced; None if none was."""
        try:
            leaves: list[Any] = self.parameters.spec.flatten_up_to(self.structure)
        except (ValueError, TypeError):
            return "an entry"
        for block, leaf, private in zip(self.parameters.blocks, leaves, self._shaped_leaves, strict=True):
            if leaf is not private:
                return block.shown
        return None

    def first_change(self, some: IndexArray | None = None) -> int | None:
        """The flat index of the first coordinate that differs from the user's; None if all agree.

        Copy-on-write maps in a worker are themselves the parameters: they are not compared.

        Parameters
        ----------
        some : increasing flat indices that are compared; None for all
        """
        if some is not None:
            return self._first_change_among(some)
        if len(self.flat_leaves) >= MANY_BLOCKS and self._is_the_same():
            return None
        for block, mine, theirs in zip(
            self.parameters.blocks, self.flat_leaves, self.parameters.leaves, strict=True
        ):
            if np.may_share_memory(mine, theirs):
                continue
            for i, (a, b) in enumerate(zip(pieces(mine), pieces(theirs), strict=True)):
                differs = a != b
                if differs.any():
                    return block.start + i * PIECE + int(np.argmax(differs))
        return None

    def _is_the_same(self) -> bool:
        """Whether nothing has changed, by one comparison of all blocks, where that is no large copy."""
        if self.parameters.size > PIECE * len(self.flat_leaves):
            return False
        mine, theirs = np.concatenate(self.flat_leaves), np.concatenate(self.parameters.leaves)
        return bool((mine == theirs).all())

    def _first_change_among(self, some: IndexArray) -> int | None:
        for number, where in self.parameters.segments(some):
            inside = some[where] - self.parameters.blocks[number].start
            differs = self.flat_leaves[number][inside] != self.parameters.leaves[number][inside]
            if differs.any():
                return int(some[where][np.argmax(differs)])
        return None


def _private(leaf: FloatArray, dtype: npt.DTypeLike | None) -> FloatArray:
    copy_on_write = type(leaf) is np.memmap and leaf.mode == "c" and dtype is None
    return leaf.view(np.ndarray) if copy_on_write else np.array(leaf, dtype=dtype, subok=False)
