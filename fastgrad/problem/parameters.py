"""Parameters: any nesting of arrays, seen as named blocks over one flat vector.

`checks` makes the `Parameters` of a check, and all rooms that index coordinates use them.

Notation: theta in R^n is all leaves, each in C order, one after the other in the order in which the
user wrote them (a dict keeps its insertion order). A flat index counts along theta.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import optree

from fastgrad.arrays import FloatArray, Floats, IndexArray
from fastgrad.errors import InputError
from fastgrad.index_sets import as_run, distinct, spread_over
from fastgrad.printable import shown_names
from fastgrad.problem.block import Block, parameter_leaf, typical_size
from fastgrad.problem.describe import describe
from fastgrad.problem.kinds.complex_parts import complex_array
from fastgrad.problem.kinds.form import Form
from fastgrad.problem.matching import Matched, matched
from fastgrad.problem.structure import block_names, flatten, refuse_repeated


class Parameters:
    """The user's parameters as blocks over one flat vector. The user's arrays are only ever read.

    Parameters
    ----------
    structure : array of any shape | dict | list | tuple | nestings of them
        Leaves are float32 or float64 arrays of any kind in `problem.kinds`, floats (seen as 0-d arrays), and
        lists or tuples of numbers (seen as vectors).

    Raises
    ------
    InputError
        For an empty structure, and for a leaf that is not a float32 or float64 array.

    Examples
    --------
    >>> p = Parameters({"W1": np.zeros((2, 3)), "b1": np.zeros(3)})
    >>> p.size, p.label(4), p.label(7)
    (9, 'W1[1, 1]', 'b1[1]')
    """

    def __init__(self, structure: Any) -> None:
        leaves, self.spec = flatten(structure)
        names = block_names(self.spec)
        refuse_repeated(names)
        shown, is_root = shown_names(names), optree.treespec_is_leaf(self.spec)
        found = [parameter_leaf(leaf, name, is_root) for leaf, name in zip(leaves, shown, strict=True)]
        arrays = [array for array, _ in found]
        self.leaves: tuple[FloatArray, ...] = tuple(a.reshape(-1) for a in arrays)
        starts = np.concatenate(([0], np.cumsum([a.size for a in arrays], dtype=np.int64)))
        self.blocks: tuple[Block, ...] = tuple(
            Block(name, array.shape, array.dtype, int(start), as_shown, form)
            for name, as_shown, (array, form), start in zip(names, shown, found, starts, strict=False)
        )
        self.size = int(starts[-1])
        self._starts: IndexArray = starts.astype(np.intp)
        if self.size == 0:
            raise InputError(
                "the parameters are empty: expected at least one number in an array, "
                f"a dict, a list or a tuple of arrays; got {describe(structure)}",
                code="FG102",
            )

    def typical_size(self, number: int) -> float:
        """The typical size of a block."""
        return float(self.typical_sizes[number])

    @cached_property
    def typical_sizes(self) -> Floats:
        """(blocks,) the typical size of each block.

        They are computed once, since that takes as long as a copy of the parameters.
        """
        return np.array([typical_size(leaf) for leaf in self.leaves])

    def build(self, leaves: Sequence[Any]) -> Any:
        """The user's structure with other leaves."""
        return optree.tree_unflatten(self.spec, leaves)

    def build_arrays(self, flat_leaves: Sequence[FloatArray]) -> Any:
        """The user's structure with other leaves, given flat. They become views in their block's shape."""
        return self.build(self.shaped(flat_leaves))

    def build_labelled(self, flat_leaves: Sequence[FloatArray]) -> Any:
        """The same, but where the user gave an array with labels it is one with the same labels.

        Of complex parameters they are complex arrays: of the derivatives dL/da and dL/db they are dL/da + i
        dL/db.
        """
        shaped = zip(self.shaped(flat_leaves), self.blocks, strict=True)
        return self.build([_labelled(array, block.form) for array, block in shaped])

    def shaped(self, flat_leaves: Sequence[FloatArray]) -> list[FloatArray]:
        """Views of flat leaves, one for each block, in their block's shape."""
        return [leaf.reshape(b.shape) for leaf, b in zip(flat_leaves, self.blocks, strict=True)]

    def block_numbers(self, indices: IndexArray) -> IndexArray:
        """(m,) the number of the block of each flat index."""
        if (indices[1:] >= indices[:-1]).all():  # one search for each block takes a tenth of the time
            cuts = np.searchsorted(indices, self._starts[1:])
            return np.repeat(np.arange(len(self._starts)), np.diff(cuts, prepend=0, append=len(indices)))
        return np.searchsorted(self._starts[1:], indices, side="right").astype(np.intp)

    def label(self, flat_index: int) -> str:
        """A coordinate in the user's terms, such as "W2[17, 3]"."""
        return self.block_of(flat_index).label(flat_index)

    def block_of(self, flat_index: int) -> Block:
        """The block that holds a coordinate of the flat vector."""
        return self.blocks[int(self.block_numbers(np.asarray([flat_index]))[0])]

    def segments(self, indices: IndexArray) -> Iterator[tuple[int, slice | IndexArray]]:
        """Group flat indices by block: pairs of a block's number and the positions of its own in `indices`.

        The indices of every plan are increasing. Their positions are slices, since indexing with an array
        copies: slices took the compiled engine from 0.946 to 0.966 of the speed of a hand-written loop
        (benchmarks/bench_engines.py).
        """
        if len(self.blocks) == 1:  # nothing to look for
            if len(indices):
                yield 0, slice(0, len(indices))
        elif (indices[1:] >= indices[:-1]).all():
            cuts = np.searchsorted(indices, self._starts).tolist()
            for number, (start, stop) in enumerate(pairwise(cuts)):
                if start < stop:
                    yield number, slice(start, stop)
        else:
            numbers = self.block_numbers(indices)
            for number in distinct(numbers):
                yield int(number), np.flatnonzero(numbers == number)

    def few_of_each_block(self, indices: IndexArray, count: int) -> IndexArray:
        """Positions in increasing flat indices of at most `count` of each block, at equal distances.

        Examples
        --------
        >>> p = Parameters({"W": np.zeros(6), "b": np.zeros(2)})
        >>> p.few_of_each_block(np.arange(8), 3).tolist()
        [0, 2, 4, 6, 7]
        """
        found = [np.empty(0, dtype=np.intp)]
        for _, where in self.segments(indices):
            positions = np.arange(len(indices))[where]
            found.append(positions[:: max(1, len(positions) // count)][:count])
        return np.concatenate(found)

    def take(self, leaves: Sequence[FloatArray], indices: IndexArray) -> Floats:
        """(m,) the values at some coordinates, from a flat array for each block."""
        values = np.empty(len(indices))
        for number, where in self.segments(indices):
            values[where] = leaves[number][as_run(indices[where] - self.blocks[number].start)]
        return values

    def spread(self, count: int) -> Floats:
        """The parameters at `count` coordinates at equal distances, or all if there are no more."""
        return self.take(self.leaves, spread_over(self.size, count))

    def match(self, structure: Any, what: str) -> list[FloatArray]:
        """The leaves of a gradient as flat arrays, one for each block.

        Parameters
        ----------
        structure : in the structure of the parameters, or as `problem.matching` says
        what : "gradient", or how else messages call the structure

        Raises
        ------
        InputError
            For a leaf that is missing, unknown, of another shape, or not of a float dtype, with its name.
        """
        return self.matched(structure, what).leaves

    def matched(self, structure: Any, what: str) -> Matched:
        """The same leaves, and notes on what is unusual about the structure."""
        return matched(self.spec, self.blocks, structure, what)


def _labelled(array: FloatArray, form: Form | None) -> Any:
    if form is None or not (form.label or form.is_complex):
        return array
    return complex_array(array) if form.is_complex else form.rebuild(array)
