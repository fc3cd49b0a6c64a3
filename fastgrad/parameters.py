"""Parameters: any nesting of arrays, seen as named blocks over one flat vector.

Notation: theta in R^n is all leaves, each in C order, one after the other in the order in which the
user wrote them (a dict keeps its insertion order). A flat index counts along theta.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import optree

from fastgrad.errors import InputError
from fastgrad.ordered import as_run, distinct

FloatArray = npt.NDArray[Any]
IndexArray = npt.NDArray[np.intp]

ROOT_NAME = "params"
"""The name of the only block when the parameters are one array, and the root of list entries."""

NAMESPACE = "fastgrad"
"""Under which optree keeps dicts in the order they were written."""

_PIECE = 1 << 16  # elements looked at in one go, so that scans of a large vector need no large temporaries


SMALLEST_TYPICAL_SIZE = 1e-3
"""Below this a block's rms no longer shrinks the step: weights started near zero still act on a cost
whose scale is 1, and a step far under 1e-8 would drown in rounding (the cap's constant of numerics,
section 1)."""


@dataclass(frozen=True)
class Block:
    """One array among the parameters: its name, its shape, and where it lies in the flat vector."""

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    start: int

    @property
    def size(self) -> int:
        """Number of coordinates in the block."""
        return int(np.prod(self.shape, dtype=np.int64))

    @property
    def stop(self) -> int:
        """The flat index after the block's last coordinate."""
        return self.start + self.size

    def index(self, flat_index: int) -> tuple[int, ...]:
        """The index inside the block of a coordinate of the flat vector."""
        return tuple(int(i) for i in np.unravel_index(flat_index - self.start, self.shape))

    def label(self, flat_index: int) -> str:
        """A coordinate in the user's terms: "W2[17, 3]", or the bare name of a scalar block."""
        index = self.index(flat_index)
        return f"{self.name}[{', '.join(map(str, index))}]" if index else self.name


class Parameters:
    """The user's parameters as blocks over one flat vector; the user's arrays are only ever read.

    Parameters
    ----------
    structure : array of any shape | dict | list | tuple | nestings of them
        Leaves are float32 or float64 arrays, or Python floats (seen as 0-d arrays).

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
        leaves, self.spec = _flatten(structure)
        names = _block_names(self.spec)
        _refuse_repeated(names)
        arrays = [_parameter_leaf(leaf, name) for leaf, name in zip(leaves, names, strict=True)]
        self.leaves: tuple[FloatArray, ...] = tuple(a.reshape(-1) for a in arrays)
        starts = np.concatenate(([0], np.cumsum([a.size for a in arrays], dtype=np.int64)))
        self.blocks: tuple[Block, ...] = tuple(
            Block(name, a.shape, a.dtype, int(start))
            for name, a, start in zip(names, arrays, starts, strict=False)
        )
        self.size = int(starts[-1])
        self._starts: IndexArray = starts.astype(np.intp)
        if self.size == 0:
            raise InputError(
                "the parameters are empty: expected at least one number in an array, "
                f"a dict, a list or a tuple of arrays; got {describe(structure)}"
            )

    def typical_size(self, number: int) -> float:
        """The typical size of a block."""
        return float(self.typical_sizes[number])

    @cached_property
    def typical_sizes(self) -> npt.NDArray[np.float64]:
        """The typical size of each block, looked for once: of a large one it takes as long as a copy."""
        return np.array([typical_size(leaf) for leaf in self.leaves])

    @property
    def is_single_array(self) -> bool:
        """Whether the user's parameters are one bare array, not a dict, list or tuple."""
        return self.spec.is_leaf()

    def build(self, leaves: Sequence[Any]) -> Any:
        """The user's structure with other leaves."""
        return optree.tree_unflatten(self.spec, leaves)

    def build_arrays(self, flat_leaves: Sequence[FloatArray]) -> Any:
        """The user's structure around flat leaves, each seen in its block's shape (no copy)."""
        return self.build(self.shaped(flat_leaves))

    def shaped(self, flat_leaves: Sequence[FloatArray]) -> list[FloatArray]:
        """Flat leaves, each seen in its block's shape (no copy)."""
        return [leaf.reshape(b.shape) for leaf, b in zip(flat_leaves, self.blocks, strict=True)]

    def block_numbers(self, indices: IndexArray) -> IndexArray:
        """For each flat index, the number of its block."""
        if (indices[1:] >= indices[:-1]).all():  # a tenth of the time of looking each one up
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
        """Group flat indices by block: pairs of a block number and where in `indices` its own stand.

        Increasing indices, as every plan has them, give slices, where arrays of positions would copy: it
        took the compiled engine from 0.946 to 0.966 of a hand-written loop's speed (bench_engines.py).
        """
        if (indices[1:] >= indices[:-1]).all():
            cuts = np.searchsorted(indices, self._starts).tolist()
            for number, (start, stop) in enumerate(pairwise(cuts)):
                if start < stop:
                    yield number, slice(start, stop)
            return
        numbers = self.block_numbers(indices)
        for number in distinct(numbers):
            yield int(number), np.flatnonzero(numbers == number)

    def take(self, leaves: Sequence[FloatArray], indices: IndexArray) -> npt.NDArray[np.float64]:
        """The values at some coordinates, as float64, from flat leaves laid out like the parameters."""
        values = np.empty(len(indices))
        for number, where in self.segments(indices):
            values[where] = leaves[number][as_run(indices[where] - self.blocks[number].start)]
        return values

    def match(self, structure: Any, what: str) -> list[FloatArray]:
        """The leaves of another structure of the same make (the gradient), flat, in this order.

        Raises
        ------
        InputError
            Naming the leaf: one missing or unknown, of another shape, or not of a float dtype.
        """
        try:
            leaves = self.spec.flatten_up_to(structure)
        except (ValueError, TypeError) as error:
            raise InputError(self._structure_message(structure, what)) from error
        if any(isinstance(leaf, dict) for leaf in leaves):
            raise InputError(self._structure_message(structure, what))
        return [_matching_leaf(leaf, block, what) for leaf, block in zip(leaves, self.blocks, strict=True)]

    def _structure_message(self, structure: Any, what: str) -> str:
        leaves, spec = _flatten(structure)
        expected = [b.name for b in self.blocks]
        got = _block_names(spec)
        missing = [name for name in expected if name not in got]
        unknown = [name for name in got if name not in expected]
        lines = [f"the {what} has another structure than the parameters"]
        if missing:
            lines.append(f"missing: {', '.join(missing)}")
        if unknown:
            lines.append(f"not among the parameters: {', '.join(unknown)}")
        if not missing and not unknown:
            return f"{lines[0]}; its containers differ: expected {_form(self.spec)}, got {_form(spec)}"
        lines.append(f"expected {_describe_blocks(self.blocks)}; got {describe(structure)}")
        if len(leaves) == 1 and np.size(leaves[0]) == self.size:
            lines.append("the size is right: reshape it to the parameters' structure")
        return "; ".join(lines)


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
            for i in range(0, block.size, _PIECE):
                differs = mine[i : i + _PIECE] != theirs[i : i + _PIECE]
                if differs.any():
                    return block.start + i + int(np.argmax(differs))
        return None


def root_mean_square(leaf: FloatArray) -> float:
    """The root mean square of a flat leaf in float64, piece by piece (no large temporary)."""
    if leaf.size == 0:
        return 0.0
    largest = max(float(np.maximum(p.max(), -p.min())) + 0.0 for p in pieces(leaf))  # + 0.0: never -0.0
    if largest == 0 or not np.isfinite(largest):
        return largest
    total = 0.0
    for p in pieces(leaf):
        shrunk = p.astype(np.float64) / largest  # no square over- or underflows
        total += float(shrunk @ shrunk)
    return float(largest * np.sqrt(total / leaf.size))


def typical_size(leaf: FloatArray) -> float:
    """The typical size of a block: its rms, not under SMALLEST_TYPICAL_SIZE; 1 for a block of zeros."""
    rms = root_mean_square(leaf)
    return 1.0 if rms == 0 else max(rms, SMALLEST_TYPICAL_SIZE)


def pieces(leaf: FloatArray) -> Iterator[FloatArray]:
    """A flat leaf in pieces small enough that temporaries of their size do not matter."""
    return (leaf[i : i + _PIECE] for i in range(0, leaf.size, _PIECE))


def flatten_alike(a: Any, b: Any) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """All numbers of two structures as vectors; dicts go by their keys where both are of one make."""
    leaves, spec = _flatten(a)
    try:
        others = spec.flatten_up_to(b)
    except (ValueError, TypeError):
        others = [b]
    return _numbers(leaves), _numbers([leaf for other in others for leaf in _flatten(other)[0]])


def block_name(path: tuple[Any, ...]) -> str:
    """A leaf's name from its path: ("enc", 0, "W") is "enc[0].W", the root array is "params"."""
    name = ""
    for key in path:
        if isinstance(key, str):
            name += f".{key}" if name else key
        else:
            name = f"{name or ROOT_NAME}[{key!r}]"
    return name or ROOT_NAME


def _flatten(structure: Any) -> tuple[list[Any], optree.PyTreeSpec]:
    with optree.dict_insertion_ordered(True, namespace=NAMESPACE):
        return optree.tree_flatten(structure, namespace=NAMESPACE)


def _block_names(spec: optree.PyTreeSpec) -> list[str]:
    return [
        block_name(tuple(e.field if isinstance(e, optree.NamedTupleEntry) else e.entry for e in accessor))
        for accessor in optree.treespec_accessors(spec)
    ]


def _refuse_repeated(names: Sequence[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise InputError(
                f"two blocks of the parameters would both be called {name}: give their keys other names"
            )
        seen.add(name)


def _form(spec: optree.PyTreeSpec) -> str:
    """The containers of a structure with a star for each leaf, as in {'a': (*, *)}."""
    return str(spec).removeprefix("PyTreeSpec(").removesuffix(")").partition(", namespace=")[0]


def _numbers(leaves: Sequence[Any]) -> npt.NDArray[np.float64]:
    flat = [np.asarray(leaf, dtype=np.float64).reshape(-1) for leaf in leaves]
    return np.concatenate(flat) if flat else np.empty(0)


def is_private_map(array: Any) -> bool:
    """Whether an array's memory is a copy-on-write map: a worker would reopen it from its file."""
    while isinstance(array, np.ndarray):
        if isinstance(array, np.memmap) and array.mode == "c":
            return True
        array = array.base
    return False


def _private(leaf: FloatArray, dtype: npt.DTypeLike | None) -> FloatArray:
    copy_on_write = type(leaf) is np.memmap and leaf.mode == "c" and dtype is None
    return leaf.view(np.ndarray) if copy_on_write else np.array(leaf, dtype=dtype, subok=False)


def _parameter_leaf(leaf: Any, name: str) -> FloatArray:
    if isinstance(leaf, np.ma.MaskedArray):
        raise InputError(f"parameter {name} is a masked array: pass {name}.filled(...) or its valid entries")
    array = _as_array(leaf, f"parameter {name}")
    kind = array.dtype
    if kind.type not in (np.float32, np.float64):
        raise InputError(
            f"parameter {name} must be a float32 or float64 array; got {describe(leaf)}. "
            + _dtype_advice(kind, name, isinstance(leaf, np.ndarray))
        )
    for i, piece in enumerate(pieces(array.reshape(-1))):
        if not np.isfinite(piece).all():
            at = i * _PIECE + int(np.argmin(np.isfinite(piece)))
            label = Block(name, array.shape, kind, 0).label(at)
            raise InputError(
                f"parameter {label} is {array.reshape(-1)[at]}: a gradient can only be checked "
                "at finite parameters"
            )
    wanted = kind.newbyteorder("=")
    if is_private_map(array) or wanted != kind:
        return np.array(array, dtype=wanted, subok=False)
    return array


def _dtype_advice(dtype: np.dtype[Any], name: str, is_array: bool) -> str:
    if dtype.kind in "iub":
        as_float = f"{name}.astype(float)" if is_array else f"float({name})"
        return f"An integer cannot be perturbed: pass {as_float}."
    if dtype.kind == "c":
        return "Pass its real and imaginary parts as two blocks."
    if dtype.kind == "f":
        return f"Pass {name}.astype(np.float64) or np.float32."
    return "Pass arrays of numbers."


def _as_array(leaf: Any, what: str) -> FloatArray:
    try:
        return np.asarray(leaf)
    except Exception as error:
        join = ". Join the pieces: np.concatenate((a.ravel(), b.ravel()))" * isinstance(leaf, list | tuple)
        raise InputError(f"{what} is not an array: got {describe(leaf)}{join}") from error


def _matching_leaf(leaf: Any, block: Block, what: str) -> FloatArray:
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


def _describe_blocks(blocks: Sequence[Block]) -> str:
    return "{" + ", ".join(f"{b.name}: {b.shape}" for b in blocks) + "}"


def describe(value: Any) -> str:
    """A value in a few words, for error messages."""
    if isinstance(value, np.ndarray):
        return f"{value.dtype} array of shape {value.shape}"
    if isinstance(value, dict):
        return f"a dict with keys {list(value)}"
    if isinstance(value, list | tuple):
        return f"a {type(value).__name__} of length {len(value)}"
    return f"{type(value).__name__} {value!r:.60}"
