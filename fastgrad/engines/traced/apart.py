"""Where samples stay apart: which part of a tape computes each sample from that sample alone.

Notation: z = the result of a product, with one axis of samples. From operation to operation it is followed
which sample each entry depends on, as long as it is only one: `Axis` says so along one axis. The part ends at
a sum over all samples that gives one number. To move one unit of z in all samples then gives, in one go, what
the sum changes by for each sample alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from fastgrad.arrays import IndexArray
from fastgrad.engines.traced.changes import Change, Sparse
from fastgrad.engines.traced.kinds import ALONG, is_elementwise
from fastgrad.engines.traced.movement import Movement, movements_of, moves_entries
from fastgrad.engines.traced.tape import Array, Method, Operation, Tape

NONE = -1
"""The sample of entries that depend on none."""


@dataclass(frozen=True, eq=False)
class Axis:
    """The axis of a value along which the samples lie, and the sample of each index along it."""

    axis: int
    sample: IndexArray

    def of_entries(self, shape: tuple[int, ...]) -> IndexArray:
        """The sample of each entry, flat."""
        along = self.sample.reshape(-1, *(1,) * (len(shape) - self.axis - 1))
        return np.broadcast_to(along, shape).reshape(-1)


@dataclass(frozen=True, eq=False)
class Interior:
    """The operations between a product and the sum over all samples."""

    positions: frozenset[int]
    """Of the operations in between."""
    ends: tuple[End, ...]
    """The sums over all samples."""
    guarding: frozenset[int]
    """The positions of operations on which only guards depend."""

    @property
    def summed(self) -> tuple[int, ...]:
        """The values that are summed."""
        return tuple(dict.fromkeys(number for end in self.ends for number in end.summed))

    def largest(self, tape: Tape) -> float:
        """The largest number that is summed."""
        return max((float(np.max(np.abs(tape.base[n]), initial=0.0)) for n in self.summed), default=0.0)


@dataclass(frozen=True, eq=False)
class End:
    """A sum over all samples that gives one number."""

    position: int
    """Of the operation."""
    summed: dict[int, Axis]
    """The values that it sums, or multiplies and sums."""

    def pieces(self, tape: Tape, changes: dict[int, Change], points: int, samples: int) -> Array:
        """(K, samples) what the sum changes by, for each sample."""
        if len(self.summed) == 1 and isinstance(tape.operations[self.position].function, Method):
            ((number, axis),) = self.summed.items()
            change = changes.get(number)
            if change is None:
                return np.zeros((points, samples))
            return _by_sample(change, tape.base[number], axis, samples)
        return self._of_product(tape, changes, points, samples)

    def _of_product(self, tape: Tape, changes: dict[int, Change], points: int, samples: int) -> Array:
        from fastgrad.engines.traced.changes import as_dense

        sides, bases = [], []
        for argument in tape.operations[self.position].args:
            number = getattr(argument, "number", None)
            base = tape.base[number] if number is not None else np.asarray(argument)
            bases.append(base)
            sides.append(as_dense(changes.get(number), base, points) if number is not None else base)
        new = sides[0] * sides[1] - bases[0] * bases[1]
        sample = next(iter(self.summed.values())).sample
        return _grouped(np.broadcast_to(new, (points, len(sample))), sample, samples)


def interior_of(tape: Tape, start: int, axis: Axis) -> Interior | None:
    """The operations from a value to the sums over its samples; None where they do not stay apart.

    Parameters
    ----------
    tape : Tape
    start : the number of the value
    axis : its axis of samples
    """
    axes = {start: axis}
    for_cost = _leading_to(tape, {tape.output})
    positions: set[int] = set()
    guarding: set[int] = set()
    mixed: set[int] = set()  # values
    totals: set[int] = set()
    ends: list[End] = []
    for position, operation in enumerate(tape.operations):
        mine = {number: axes[number] for number in operation.inputs if number in axes}
        of_all = totals.intersection(operation.inputs)
        spoilt = bool(mixed.intersection(operation.inputs)) or bool(mine and of_all)
        if of_all and not mine:
            totals.update(operation.outputs)
        if not mine and not spoilt:
            continue
        if position not in for_cost:
            guarding.add(position)
        found = None if spoilt else _followed(tape, operation, mine)
        if found is not None:
            axes.update(zip(operation.outputs, found, strict=True))
            positions.add(position)
        elif position not in for_cost:
            mixed.update(operation.outputs)
        elif spoilt or not _ends(tape, operation, mine):
            return None
        else:
            ends.append(End(position, mine))
            totals.update(operation.outputs)
    return Interior(frozenset(positions), tuple(ends), frozenset(guarding)) if ends else None


def _leading_to(tape: Tape, wanted: set[int]) -> set[int]:
    needed, found = set(wanted), set()
    for position in range(len(tape.operations) - 1, -1, -1):
        operation = tape.operations[position]
        if needed.intersection(operation.outputs):
            needed.update(operation.inputs)
            found.add(position)
    return found


def _ends(tape: Tape, operation: Operation, mine: dict[int, Axis]) -> bool:
    """Whether an operation sums over all samples and gives one number."""
    if tape.base[operation.outputs[0]].size != 1:
        return False
    function = operation.function
    if isinstance(function, Method):
        plain = function.ufunc is np.add and function.name == "reduce" and len(mine) == 1
        return plain and not set(operation.kwargs) - {"axis", "keepdims", "dtype"}
    if function in (np.dot, np.matmul) and len(operation.args) == 2:
        arrays = [tape.base[a.number] if hasattr(a, "number") else np.asarray(a) for a in operation.args]
        samples = [axis.sample for axis in mine.values()]
        return all(a.ndim == 1 for a in arrays) and all(np.array_equal(s, samples[0]) for s in samples)
    return False


def _followed(tape: Tape, operation: Operation, mine: dict[int, Axis]) -> list[Axis] | None:
    """The axis of samples of each result; None where samples are mixed."""
    if moves_entries(operation):
        found = [_moved(tape, movement, mine) for movement in movements_of(operation, tape)]
        return None if any(axis is None for axis in found) else [axis for axis in found if axis is not None]
    out = tape.base[operation.outputs[0]]
    axis: Axis | None = None
    if is_elementwise(operation):
        axis = _merged([_broadcast(tape.base[n], out, a) for n, a in mine.items()])
        return None if axis is None else [axis] * len(operation.outputs)
    if isinstance(operation.function, Method) or operation.function in ALONG:
        axis = _beside(tape, operation, mine)
    elif operation.function in (np.matmul, np.dot):
        axis = _through_product(tape, operation, mine)
    return None if axis is None else [axis]


def _broadcast(x: Array, out: Array, axis: Axis) -> Axis | None:
    there = axis.axis + out.ndim - x.ndim
    return Axis(there, axis.sample) if x.shape[axis.axis] == out.shape[there] else None


def _merged(axes: list[Axis | None]) -> Axis | None:
    first = axes[0]
    for other in axes[1:]:
        if first is None or other is None or first.axis != other.axis:
            return None
        clash = (first.sample != other.sample) & (first.sample != NONE) & (other.sample != NONE)
        if clash.any():
            return None
        first = Axis(first.axis, np.maximum(first.sample, other.sample))
    return first


def _moved(tape: Tape, movement: Movement, mine: dict[int, Axis]) -> Axis | None:
    size = int(np.prod(movement.shape))
    samples = np.full(size, NONE, dtype=np.intp)
    for number, part in movement.parts.items():
        if number in mine:
            samples[part.to] = mine[number].of_entries(tape.base[number].shape)[part.source]
    grid = samples.reshape(movement.shape)
    for axis in range(grid.ndim):
        others = tuple(k for k in range(grid.ndim) if k != axis)
        along = grid.max(axis=others, initial=NONE)
        shown = along.reshape(-1, *(1,) * (grid.ndim - axis - 1))
        if ((grid == NONE) | (grid == shown)).all():
            return Axis(axis, along)
    return None


AXIS_SECOND = (np.sort, np.argsort, np.argmax, np.argmin, np.median, np.count_nonzero)
"""Functions along an axis that is their second argument."""


def _beside(tape: Tape, operation: Operation, mine: dict[int, Axis]) -> Axis | None:
    """Past an operation along other axes: a reduction, a sort."""
    first = getattr(operation.args[0], "number", None) if operation.args else None
    if set(mine) != {first} or first is None:
        return None
    axis, x, out = mine[first], tape.base[first], tape.base[operation.outputs[0]]
    default: Any = 0 if isinstance(operation.function, Method) else ALONG[operation.function][1]
    second_is_axis = isinstance(operation.function, Method) or operation.function in AXIS_SECOND
    if len(operation.args) > (2 if second_is_axis else 1):
        return None  # np.partition(x, 1): a second argument is no axis
    along = operation.kwargs.get("axis", operation.args[1] if len(operation.args) > 1 else default)
    if along is None or set(operation.kwargs) - {"axis", "keepdims", "dtype"}:
        return None
    axes = {k % x.ndim for k in (along if isinstance(along, tuple | list) else (along,))}
    if axis.axis in axes:
        return None
    if out.ndim == x.ndim:
        return axis
    return Axis(axis.axis - sum(k < axis.axis for k in axes), axis.sample)


def _through_product(tape: Tape, operation: Operation, mine: dict[int, Axis]) -> Axis | None:
    """Rows of the left factor, columns of the right one, or stacks of both."""
    if len(operation.args) != 2:
        return None
    numbers = [getattr(a, "number", None) for a in operation.args]
    arrays = [
        tape.base[n] if n is not None else np.asarray(a) for n, a in zip(numbers, operation.args, strict=True)
    ]
    if min(a.ndim for a in arrays) < 1 or numbers[0] == numbers[1]:
        return None
    out = tape.base[operation.outputs[0]]
    found: list[Axis | None] = []
    for k, (number, array) in enumerate(zip(numbers, arrays, strict=True)):
        if number not in mine:
            continue
        axis, inner = mine[number], max(array.ndim - 2, 0) if k else array.ndim - 1
        if axis.axis == inner:
            return None  # summed over
        if axis.axis >= array.ndim - 2:
            there = out.ndim - 1 if k else out.ndim - (2 if arrays[1].ndim > 1 else 1)
        else:
            there = axis.axis + (out.ndim - array.ndim)
            if min(a.ndim for a in arrays) < 2 or out.shape[there] != array.shape[axis.axis]:
                return None
        found.append(Axis(there, axis.sample))
    return _merged(found)


def _by_sample(change: Change, base: Array, axis: Axis, samples: int) -> Array:
    points = change.points
    if isinstance(change, Sparse):
        delta = change.new - base.reshape(-1)[change.where]
        owner = axis.of_entries(base.shape)[change.where]
        out = np.zeros((points, samples))
        if owner.shape[1] == samples and (owner == np.arange(samples)).all():
            out[:] = delta
            return out
        np.add.at(out, (np.arange(points)[:, None], owner), delta)
        return out
    delta = change.new - base
    others = tuple(k + 1 for k in range(base.ndim) if k != axis.axis)
    return _grouped(delta.sum(axis=others) if others else delta, axis.sample, samples)


def _grouped(along: Array, sample: IndexArray, samples: int) -> Array:
    """(K, samples) sums of (K, indices) by sample."""
    if len(sample) == samples and (sample == np.arange(samples)).all():
        return along
    out = np.zeros((len(along), samples + 1))
    np.add.at(out.T, sample, along.T)  # entries of no sample go to the last
    return out[:, :samples]
