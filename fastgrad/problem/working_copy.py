"""A private copy of the parameters, which engines perturb in place of the user's arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from fastgrad.arrays import PIECE, FloatArray, IndexArray
from fastgrad.problem.parameters import Parameters


class WorkingCopy:
    """A private copy of the parameters that an engine may perturb, built in the user's structure.

    Where the leaves are memory maps opened copy-on-write (as they reach a worker process), they are
    private already and are used as they are: only the pages that get perturbed are ever copied.
    """

    def __init__(self, parameters: Parameters, dtype: npt.DTypeLike | None = None) -> None:
        self.parameters = parameters
        self.flat_leaves = [_private(leaf, dtype) for leaf in parameters.leaves]
        self._shaped_leaves = parameters.shaped(self.flat_leaves)
        self.structure = parameters.build(self._shaped_leaves)

    def first_rebound(self) -> str | None:
        """The name of the first block whose array in the structure is no longer the private one."""
        try:
            leaves: list[Any] = self.parameters.spec.flatten_up_to(self.structure)
        except (ValueError, TypeError):
            return "an entry"
        for block, leaf, private in zip(self.parameters.blocks, leaves, self._shaped_leaves, strict=True):
            if leaf is not private:
                return block.name
        return None

    def first_change(self, some: IndexArray | None = None) -> int | None:
        """The flat index of the first coordinate that differs from the user's, None if all agree.

        Leaves mapped copy-on-write in a worker have nothing to be compared with and are passed over.

        Parameters
        ----------
        some : increasing flat indices that are looked at; None for all
        """
        if some is not None:
            for number, where in self.parameters.segments(some):
                inside = some[where] - self.parameters.blocks[number].start
                differ = self.flat_leaves[number][inside] != self.parameters.leaves[number][inside]
                if differ.any():
                    return int(some[where][np.argmax(differ)])
            return None
        for block, mine, theirs in zip(
            self.parameters.blocks, self.flat_leaves, self.parameters.leaves, strict=True
        ):
            if np.may_share_memory(mine, theirs):
                continue
            for i in range(0, block.size, PIECE):
                differs = mine[i : i + PIECE] != theirs[i : i + PIECE]
                if differs.any():
                    return block.start + i + int(np.argmax(differs))
        return None


def _private(leaf: FloatArray, dtype: npt.DTypeLike | None) -> FloatArray:
    copy_on_write = type(leaf) is np.memmap and leaf.mode == "c" and dtype is None
    return leaf.view(np.ndarray) if copy_on_write else np.array(leaf, dtype=dtype, subok=False)
