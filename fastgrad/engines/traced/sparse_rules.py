"""How few changed entries of a value become few changed entries of the next one.

A rule gives the change of an operation's result, or None where it has none: the operation is then evaluated
as a whole (`dense_rules`). Notation: K = points, L = changed entries at each of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fastgrad.arrays import IndexArray
from fastgrad.engines.traced.changes import Change, Dense, Sparse, is_worth_keeping_sparse
from fastgrad.engines.traced.kinds import is_elementwise
from fastgrad.engines.traced.movement import Part
from fastgrad.engines.traced.tape import Array, Method, Operation, Tape, substituted

MOST_ADDED = 4
"""Entries of a factor whose share of a product is added by itself."""


@dataclass(eq=False)
class SparseRules:
    """The rules, with what they keep of each operation of a tape."""

    tape: Tape
    _spread: dict[tuple[int, int], Part | None] = field(default_factory=dict)
    _owners: dict[int, IndexArray] = field(default_factory=dict)
    _finite: dict[int, bool] = field(default_factory=dict)

    def result(self, operation: Operation, changes: dict[int, Change]) -> Change | None:
        """The change of the result where a rule gives it; None where the operation needs to be evaluated."""
        if len(operation.outputs) != 1:
            return None
        if not all(isinstance(c, Sparse) for c in changes.values()):
            return self._product_with_dense(operation, changes)
        sparse = {number: c for number, c in changes.items() if isinstance(c, Sparse)}
        if is_elementwise(operation):
            return self._elementwise(operation, sparse)
        function = operation.function
        if isinstance(function, Method) and function.name == "reduce" and function.ufunc is np.add:
            return self._sum(operation, sparse)
        if function in (np.matmul, np.dot):
            return self._product(operation, sparse)
        return None

    def _elementwise(self, operation: Operation, changes: dict[int, Sparse]) -> Change | None:
        out = self.tape.base[operation.outputs[0]]
        found: Sparse | None = None
        news: dict[int, Array] = {}
        for number, change in changes.items():
            spread = self._through(number, operation.outputs[0], change)
            if spread is None or (found is not None and not _same(found.where, spread.where)):
                return None
            found = found or spread
            news[number] = spread.new
        if found is None or not is_worth_keeping_sparse(found.where.shape[1], out.size):
            return None
        where = found.where

        def given(number: int) -> Any:
            return (
                news[number] if number in news else self._gathered(self.tape.base[number], out.shape, where)
            )

        def constants(tree: Any) -> Any:
            if isinstance(tree, np.ndarray) and tree.ndim:
                return self._gathered(tree, out.shape, where)
            if type(tree) in (tuple, list):
                return type(tree)(constants(item) for item in tree)
            return tree

        args = substituted(constants(operation.args), given)
        kwargs = {k: substituted(constants(v), given) for k, v in operation.kwargs.items()}
        return Sparse(where, np.asarray(operation.function(*args, **kwargs)))

    def _gathered(self, base: Array, shape: tuple[int, ...], where: IndexArray) -> Array:
        """The entries of an unchanged operand at some places of the result."""
        if base.ndim == 0:
            return base
        if base.shape == shape:
            return base.reshape(-1)[where]
        return np.broadcast_to(base, shape)[np.unravel_index(where, shape)]

    def _through(self, number: int, out: int, change: Sparse) -> Sparse | None:
        """A change of an operand at the places of the result that it is broadcast to."""
        mine, result = self.tape.base[number], self.tape.base[out]
        if mine.shape == result.shape:
            return change
        key = (number, out)
        if key not in self._spread:
            ids = np.broadcast_to(np.arange(mine.size).reshape(mine.shape), result.shape).reshape(-1)
            self._spread[key] = Part(np.arange(result.size), ids.astype(np.intp), mine.size)
        part = self._spread[key]
        return None if part is None else part.followed(change)

    def _sum(self, operation: Operation, changes: dict[int, Sparse]) -> Change | None:
        (number, out) = operation.inputs[0], operation.outputs[0]
        kwargs = operation.kwargs
        if len(operation.args) > 2 or set(kwargs) - {"axis", "keepdims", "dtype"} or len(changes) != 1:
            return None
        x, total, change = self.tape.base[number], self.tape.base[out], changes[number]
        if total.dtype != x.dtype or not self._is_finite(number):
            return None
        delta = change.new - x.reshape(-1)[change.where]
        base = total.reshape(-1)
        if total.size == 1:
            return Sparse(np.zeros((change.points, 1), np.intp), base + delta.sum(axis=1, keepdims=True))
        axis = kwargs.get("axis", operation.args[1] if len(operation.args) > 1 else 0)
        owner = self._owner(number, out, axis)[change.where]
        if owner.shape[1] > 1 and _repeats(owner):
            return None
        return Sparse(owner, base[owner] + delta)

    def _owner(self, number: int, out: int, axis: Any) -> IndexArray:
        """The flat index of the sum that each entry is part of."""
        if out not in self._owners:
            x, total = self.tape.base[number], self.tape.base[out]
            axes = axis if isinstance(axis, tuple) else (axis,)
            kept = list(x.shape)
            for k in axes:
                kept[k] = 1
            ids = np.broadcast_to(np.arange(total.size).reshape(kept), x.shape)
            self._owners[out] = ids.reshape(-1).astype(np.intp)
        return self._owners[out]

    def _is_finite(self, number: int) -> bool:
        if number not in self._finite:
            self._finite[number] = bool(np.isfinite(self.tape.base[number]).all())
        return self._finite[number]

    def _product_with_dense(self, operation: Operation, changes: dict[int, Change]) -> Change | None:
        """out = a @ b, where all of one changes and few entries of the other: those are added afterwards.

        So the other need not be copied for each point. A cell at each time step is such a product.
        """
        if operation.function not in (np.matmul, np.dot) or len(changes) != 2 or operation.kwargs:
            return None
        numbers = [getattr(a, "number", None) for a in operation.args]
        if len(numbers) != 2 or any(n not in changes or self.tape.base[n].ndim != 2 for n in numbers):
            return None
        left, right = (changes[n] for n in numbers if n is not None)
        if isinstance(left, Dense) and isinstance(right, Sparse):
            return self._added(numbers[1], left.new, right, True)
        if isinstance(left, Sparse) and isinstance(right, Dense):
            return self._added(numbers[0], right.new, left, False)
        return None

    def _added(self, number: int | None, whole: Array, few: Sparse, few_is_right: bool) -> Change | None:
        assert number is not None
        base = self.tape.base[number]
        if few.where.shape[1] > MOST_ADDED or not self._is_finite(number) or not np.isfinite(whole).all():
            return None  # inf * w + inf * delta may be no number where inf * (w + delta) is one
        delta = few.new - base.reshape(-1)[few.where]
        row, column = np.divmod(few.where, base.shape[1])
        out = np.matmul(whole, base) if few_is_right else np.matmul(base, whole)
        point = np.arange(few.points)
        for k in range(few.where.shape[1]):
            i, j, by = row[:, k], column[:, k], delta[:, k, None]
            if few_is_right:
                out[point, :, j] += whole[point, :, i] * by
            else:
                out[point, i] += whole[point, j] * by
        return Dense(out)

    def _product(self, operation: Operation, changes: dict[int, Sparse]) -> Change | None:
        """out = a @ b, where entries of one of them change: out[r, :] += delta * b[c, :] for a[r, c]."""
        if len(changes) != 1 or len(operation.args) != 2 or operation.kwargs:
            return None
        (number, change), out = next(iter(changes.items())), self.tape.base[operation.outputs[0]]
        sides = [a if isinstance(a, np.ndarray) else self.tape.base[a.number] for a in operation.args]
        numbers = [getattr(a, "number", None) for a in operation.args]
        if numbers[0] == numbers[1] or max(side.ndim for side in sides) > 2:
            return None
        if not self._is_finite(number) or not np.isfinite(out).all():
            return None
        a, b = sides[0].reshape(-1, sides[0].shape[-1]), sides[1].reshape(len(sides[1]), -1)
        delta = change.new - self.tape.base[number].reshape(-1)[change.where]
        columns = b.shape[1]
        if number == numbers[0]:
            row, column = np.divmod(change.where, a.shape[1])
            return _moved_rows(row, column, delta, b, out, stride=columns, step=1)
        row, column = np.divmod(change.where, columns)
        return _moved_rows(column, row, delta, a.T, out, stride=1, step=columns)


def _same(a: IndexArray, b: IndexArray) -> bool:
    return a is b or np.array_equal(a, b)


def _repeats(rows: IndexArray) -> bool:
    """Whether a number occurs twice in a row."""
    ordered = np.sort(rows, axis=1)
    return bool((ordered[:, 1:] == ordered[:, :-1]).any())


def _moved_rows(
    row: IndexArray, column: IndexArray, delta: Array, other: Array, out: Array, stride: int, step: int
) -> Change | None:
    """The product where out[row] changes by delta * other[column]; row, column and delta are (K, L).

    A row of `out` begins at row * stride, and its entries are `step` apart.
    """
    points, entries = row.shape
    length = other.shape[1]
    if entries > 1 and (row == row[:, :1]).all():  # all change one row: one entry of the result each
        moved = np.matmul(delta[:, None, :], other[column])[:, 0, :]
        row = row[:, :1]
        where = row * stride + np.arange(length) * step
        return Sparse(where, out.reshape(-1)[where] + moved)
    if entries > 1 and _repeats(row):
        return None
    same = bool((column == column[:, :1]).all())
    factor = other[column[:, :1]] if same else other[column]  # (K, 1 or L, length)
    if is_worth_keeping_sparse(entries * length, out.size):
        where = row[:, :, None] * stride + np.arange(length) * step
        new = out.reshape(-1)[where] + delta[:, :, None] * factor
        return Sparse(where.reshape(points, -1), new.reshape(points, -1))
    rows = out.size // length
    grid = out.reshape(rows, length) if step == 1 else out.reshape(length, rows).T
    new = np.empty((points, rows, length), dtype=np.result_type(out, delta))
    if entries == rows and bool((row == np.arange(rows)).all()):
        np.multiply(delta[:, :, None], factor, out=new)
        new += grid
    else:
        new[:] = grid
        at = np.arange(points)[:, None]
        new[at, row] += delta[:, :, None] * factor
    return Dense((new if step == 1 else new.swapaxes(1, 2)).reshape(points, *out.shape))
