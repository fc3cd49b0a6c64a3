"""Python's sum over the rows of an array, seen in the tape and written as one sum of NumPy's.

`sum(rows)` adds x[0] to 0, x[1] to that, and so on: two operations for each row. As one operation it has
rules, and samples are seen to stay apart until there (`apart`).
"""

from __future__ import annotations

import operator
from dataclasses import replace
from typing import Any

import numpy as np

from fastgrad.engines.traced.tape import Method, Operation, Ref, Tape


def simplified(tape: Tape) -> Tape:
    """The tape with one operation for each sum over rows."""
    rows: dict[int, tuple[int, int]] = {}  # of a value: the array and the row that it is
    sums: dict[int, tuple[int, int]] = {}  # of a value: the array and how many of its rows it is the sum of
    operations = []
    for operation in tape.operations:
        found = _row(operation)
        if found is not None:
            rows[operation.outputs[0]] = found
        added = _sum_of_rows(operation, rows, sums)
        if added is not None:
            sums[operation.outputs[0]] = added
            if added[1] == len(tape.base[added[0]]) and _gives_the_same(tape, operation, added[0]):
                operation = _as_one(operation, added[0])
        operations.append(operation)
    return replace(tape, operations=operations).pruned()


def _row(operation: Operation) -> tuple[int, int] | None:
    if operation.function is not operator.getitem or not isinstance(operation.args[0], Ref):
        return None
    index = operation.args[1]
    return (operation.args[0].number, index) if type(index) is int and index >= 0 else None


def _sum_of_rows(
    operation: Operation, rows: dict[int, tuple[int, int]], sums: dict[int, tuple[int, int]]
) -> tuple[int, int] | None:
    if operation.function is not np.add or operation.kwargs or len(operation.args) != 2:
        return None
    left, right = (x.number if isinstance(x, Ref) else x for x in operation.args)
    refs = [isinstance(x, Ref) for x in operation.args]
    zero, row = (left, right) if refs == [False, True] else (right, left)
    if sum(refs) == 1:
        begins = _is_zero(zero) and rows.get(row, (0, 1))[1] == 0
        return (rows[row][0], 1) if begins else None
    so_far, row = sums.get(left), rows.get(right)
    if so_far is None or row is None or row != (so_far[0], so_far[1]):
        return None
    return so_far[0], so_far[1] + 1


def _is_zero(value: Any) -> bool:
    return isinstance(value, int | float | np.ndarray) and np.ndim(value) == 0 and value == 0


def _gives_the_same(tape: Tape, operation: Operation, array: int) -> bool:
    """Whether NumPy's sum has the dtype of Python's: it counts small integers in larger ones."""
    x, total = tape.base[array], tape.base[operation.outputs[0]]
    return x.dtype == total.dtype and x.dtype.kind in "fc" and x.shape[1:] == total.shape


def _as_one(operation: Operation, array: int) -> Operation:
    return replace(
        operation, function=Method(np.add, "reduce"), args=(Ref(array),), kwargs={"axis": 0}, inputs=()
    )
