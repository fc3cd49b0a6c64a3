"""Operations that only move entries: reshape, transpose, slices, concatenate, assignment and their kin.

What such an operation does is found by calling it with the flat indices of its inputs in place of their
numbers. One rule then evaluates them all: an entry of the result is an entry of an input, or a constant.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from fastgrad.arrays import IndexArray
from fastgrad.engines.traced import primitives
from fastgrad.engines.traced.changes import Change, Dense, Ragged, Sparse, as_dense
from fastgrad.engines.traced.primitives import flat_indices
from fastgrad.engines.traced.tape import Array, Operation, Ref, Tape, refs, substituted

MOVING = {
    operator.getitem, primitives.take_flat, primitives.put_flat, primitives.assigned,
    np.reshape, np.ravel, np.transpose, np.swapaxes, np.moveaxis, np.rollaxis, np.expand_dims, np.squeeze,
    np.broadcast_to, np.broadcast_arrays, np.tile, np.repeat, np.roll, np.flip, np.fliplr, np.flipud,
    np.rot90,
    np.pad, np.concatenate, np.stack, np.vstack, np.hstack, np.dstack, np.column_stack, np.block, np.append,
    np.split, np.array_split, np.vsplit, np.hsplit, np.dsplit, np.take, np.take_along_axis, np.diag,
    np.diagonal, np.diagflat, np.tril, np.triu, np.lib.stride_tricks.sliding_window_view, np.atleast_1d,
    np.atleast_2d, np.atleast_3d, np.copy, np.delete, np.insert, np.resize, np.compress, np.meshgrid,
    np.fft.fftshift, np.fft.ifftshift, np.extract,
}  # fmt: skip
MOVING |= {getattr(np, name) for name in ("unstack", "permute_dims", "matrix_transpose") if hasattr(np, name)}

MOVING_ALL_ARGUMENTS = {
    primitives.put_flat, primitives.assigned, np.broadcast_arrays, np.concatenate, np.stack, np.vstack,
    np.hstack,
    np.dstack, np.column_stack, np.block, np.append, np.meshgrid, np.atleast_1d, np.atleast_2d, np.atleast_3d,
}  # fmt: skip
"""Those that move entries of more arguments than the first."""

WRITTEN_VALUES: dict[Any, str] = {
    np.put: "v", np.put_along_axis: "values", np.fill_diagonal: "val",
}  # fmt: skip
"""Functions that write some values to an array, and the name of these values."""

MOVED_SECOND = {np.compress, np.extract}
"""Those that move entries of their second argument, and whose first one says which."""

PADDING = ("constant", "edge", "reflect", "symmetric", "wrap")
"""Modes of np.pad that move entries; others compute new ones."""


def moves_entries(operation: Operation) -> bool:
    """Whether an operation only moves entries of values."""
    function, args, kwargs = operation.function, operation.args, operation.kwargs
    if isinstance(function, primitives.Written):
        others = {k: v for k, v in kwargs.items() if k != WRITTEN_VALUES.get(function.function)}
        return function.function in WRITTEN_VALUES and len(args) == 1 and not any(refs(others))
    if function not in MOVING:
        return False
    if function is np.pad and _mode_of_pad(operation) not in PADDING:
        return False
    if function in MOVING_ALL_ARGUMENTS:
        index = args[1] if function in (primitives.put_flat, primitives.assigned) else None
        return not any(refs((index, kwargs)))
    moved = 1 if function in MOVED_SECOND else 0
    beside = (args[:moved], args[moved + 1 :], kwargs)
    return not any(refs(beside)) and not _is_complex(beside)


def _mode_of_pad(operation: Operation) -> Any:
    mode = operation.kwargs.get("mode", (*operation.args, "constant", "constant")[2])
    return mode if isinstance(mode, str) else None


def _is_complex(tree: Any) -> bool:
    """Whether there are complex constants, which cannot stand beside indices."""
    if isinstance(tree, tuple | list):
        return any(map(_is_complex, tree))
    if isinstance(tree, dict):
        return _is_complex(list(tree.values()))
    return isinstance(tree, complex | np.ndarray | np.generic) and bool(np.iscomplexobj(tree))


MOST_POINTERS = 8
"""Entries of an input for each of the result, up to which it is kept where each one goes: looking it up takes
a fifth of the time of a search."""


@dataclass(frozen=True, eq=False)
class Part:
    """The entries of a result that come from one input."""

    to: IndexArray
    """Their flat indices in the result, increasing."""
    source: IndexArray
    """Their flat indices in the input."""
    size: int
    """Of the input."""

    @cached_property
    def unmoved(self) -> bool:
        """Whether the result has the entries of the input in their order."""
        size = len(self.to)
        return size == self.size and bool(
            (self.to == np.arange(size)).all() and (self.source == self.to).all()
        )

    @cached_property
    def _by_source(self) -> tuple[IndexArray, IndexArray]:
        """The sources in order, and the target of each: as many as the result has entries."""
        order = np.argsort(self.source, kind="stable")
        return self.source[order], self.to[order]

    @cached_property
    def _first(self) -> IndexArray | None:
        """Where each entry begins among the sources in order; None for a slice of a much larger array."""
        if self.size > MOST_POINTERS * (len(self.to) + 1):
            return None
        counts = np.bincount(self.source, minlength=self.size)
        return np.concatenate(([0], np.cumsum(counts))).astype(np.intp)

    def _found(self, where: IndexArray) -> tuple[IndexArray, IndexArray]:
        """Where entries of the input begin among the sources in order, and how often each occurs."""
        if self._first is not None:
            starts = self._first[where]
            return starts, self._first[where + 1] - starts
        sources, _ = self._by_source
        starts = np.searchsorted(sources, where)
        return starts, np.searchsorted(sources, where, side="right") - starts

    def followed(self, change: Sparse) -> Sparse | None:
        """A sparse change of the input as one of the result."""
        if self.unmoved:
            return change
        _, targets = self._by_source
        starts, counts = self._found(change.where)
        first = int(counts.flat[0])
        if (counts == first).all():
            if first == 0:
                return None
            where = targets[starts[:, :, None] + np.arange(first)]
            return Sparse(where.reshape(change.points, -1), np.repeat(change.new, first, axis=1))
        totals = counts.sum(axis=1)
        if (totals != totals[0]).any():
            raise Ragged(totals)
        point, entry = np.nonzero(counts)
        repeats = counts[point, entry]
        begins = np.repeat(starts[point, entry], repeats)
        within = np.arange(len(begins)) - np.repeat(np.cumsum(repeats) - repeats, repeats)
        new = np.repeat(change.new[point, entry], repeats)
        shape = (change.points, int(totals[0]))
        return Sparse(targets[begins + within].reshape(shape), new.reshape(shape))


@dataclass(frozen=True, eq=False)
class Movement:
    """Where each entry of a result comes from."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    parts: dict[int, Part]
    """By number of the input."""

    @cached_property
    def whole(self) -> tuple[int, ...] | None:
        """For a result that is one input seen another way: offset and strides in entries; else None."""
        if len(self.parts) != 1:
            return None
        (part,) = self.parts.values()
        size = int(np.prod(self.shape))
        if size == 0 or len(part.to) != size:
            return None
        grid = part.source.reshape(self.shape)
        origin = (0,) * len(self.shape)
        steps = [
            int(grid[(*origin[:k], 1, *origin[k + 1 :])] - grid[origin]) if n > 1 else 0
            for k, n in enumerate(self.shape)
        ]
        expected = int(grid[origin])
        total: Any = expected
        for k, (step, n) in enumerate(zip(steps, self.shape, strict=True)):
            total = total + (step * np.arange(n)).reshape(-1, *(1,) * (len(self.shape) - k - 1))
        return (expected, *steps) if np.array_equal(np.broadcast_to(total, self.shape), grid) else None

    def applied(self, changes: dict[int, Change], base: list[Array], out: Array) -> Change | None:
        """The change of the result.

        Parameters
        ----------
        changes : of the inputs that differ
        base : all values at the parameters
        out : the result at the parameters
        """
        mine = {number: change for number, change in changes.items() if number in self.parts}
        if not mine:
            return None
        if all(isinstance(change, Sparse) for change in mine.values()):
            return self._sparse({n: c for n, c in mine.items() if isinstance(c, Sparse)})
        points = next(iter(mine.values())).points
        dense = {number: as_dense(change, base[number], points) for number, change in mine.items()}
        if self.whole is not None:
            return Dense(self._seen(next(iter(dense.values())).astype(self.dtype, copy=False)))
        new = np.empty((points, out.size), dtype=self.dtype)
        if sum(len(self.parts[number].to) for number in mine) < out.size:
            new[:] = out.reshape(-1)
        for number, value in dense.items():
            part = self.parts[number]
            moved = value.reshape(points, -1)[:, part.source]
            if len(part.to) == out.size:
                new = moved.astype(self.dtype, copy=False)
            else:
                new[:, part.to] = moved
        return Dense(new.reshape(points, *self.shape))

    def _sparse(self, changes: dict[int, Sparse]) -> Sparse | None:
        found = [self.parts[number].followed(change) for number, change in changes.items()]
        there = [change for change in found if change is not None]
        if not there:
            return None
        if len(there) == 1:
            return Sparse(there[0].where, there[0].new.astype(self.dtype, copy=False))
        new = np.concatenate([change.new for change in there], axis=1).astype(self.dtype, copy=False)
        return Sparse(np.concatenate([change.where for change in there], axis=1), new)

    def _seen(self, value: Array) -> Array:
        """The result as a view of one input."""
        assert self.whole is not None
        offset, *steps = self.whole
        value = np.ascontiguousarray(value)
        flat = value.reshape(len(value), -1)
        size = value.itemsize
        strides = (flat.strides[0], *(step * size for step in steps))
        return np.lib.stride_tricks.as_strided(
            flat[:, offset:], (len(value), *self.shape), strides, writeable=False
        )


def movements_of(operation: Operation, tape: Tape) -> list[Movement]:
    """What an operation that moves entries does, for each of its results.

    Parameters
    ----------
    operation : one of which `moves_entries` is true
    tape : Tape that it stands in
    """
    starts: dict[int, int] = {}
    total = 0
    for number in operation.inputs:
        starts[number] = total
        total += tape.base[number].size
    args, kwargs = _without_numbers(operation)

    def called(more: int) -> tuple[Any, ...]:
        def ids(number: int) -> Array:
            return flat_indices(tape.base[number], np.float64) + (starts[number] + more)

        with np.errstate(all="ignore"):
            result = operation.function(*substituted(args, ids), **substituted(kwargs, ids))
        return tuple(result) if operation.several else (result,)

    found = []
    for first, second, number in zip(called(0), called(total), operation.outputs, strict=True):
        base = tape.base[number]
        a, b = np.asarray(first).reshape(-1), np.asarray(second).reshape(-1)
        with np.errstate(invalid="ignore"):
            moved = b - a == total  # not so for a constant, which may be a NaN
        parts = {}
        for source, start in starts.items():
            size = tape.base[source].size
            to = np.flatnonzero(moved & (a >= start) & (a < start + size))
            if len(to):
                parts[source] = Part(to, (a[to] - start).astype(np.intp), size)
        found.append(Movement(base.shape, base.dtype, parts))
    return found


def _without_numbers(operation: Operation) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments with zeros in place of constants that entries are moved beside or into.

    Indices are then counted in float64 whatever the dtype of these: a mask of bools could not hold them.
    """
    function, args = operation.function, operation.args
    kwargs = {name: value for name, value in operation.kwargs.items() if name != "dtype"}
    if function in (primitives.put_flat, primitives.assigned):
        return (_zeros(args[0]), args[1], _zeros(args[2])), kwargs
    if isinstance(function, primitives.Written):
        written = WRITTEN_VALUES[function.function]
        return (_zeros(args[0]),), {k: _zeros(v) if k == written else v for k, v in kwargs.items()}
    if function not in MOVING_ALL_ARGUMENTS:
        return args, kwargs
    arrays = {np.append: 2, np.concatenate: 1, np.stack: 1}.get(function, len(args))
    return tuple(_zeros(arg) if k < arrays else arg for k, arg in enumerate(args)), kwargs


def _zeros(tree: Any) -> Any:
    if isinstance(tree, Ref):
        return tree
    if isinstance(tree, tuple | list):
        items = [_zeros(item) for item in tree]
        return items if isinstance(tree, list) else tuple(items)
    return np.zeros(np.shape(tree))
