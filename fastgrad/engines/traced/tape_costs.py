"""The cost at perturbed points: from a tape where that holds, from the plain cost where it does not.

`engine` and `site_tables` evaluate through this. Points are cut into batches by what one of them changes.
Where a guard differs, or the tape cannot be evaluated, the plain cost is called, by one thread at a time,
since its parameters are moved in place. Threads share one `TapeCosts`.
"""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

from fastgrad.arrays import Bools, Floats, IndexArray, Values
from fastgrad.engines.numbers import AnotherCostError
from fastgrad.engines.python import PythonEngine
from fastgrad.engines.traced.batch import Batch
from fastgrad.engines.traced.changes import Change, Dense, Ragged, Sparse
from fastgrad.engines.traced.dense_rules import FAILURES
from fastgrad.engines.traced.tape import Array, Tape
from fastgrad.index_sets import spread_over

CACHE = 2**22
"""Bytes of the largest value of a batch. With 1.5 MB a weight of an LSTM took 0.83 ms, with 4 MB 0.60, with
8 MB the same; checks of 784-256-128-10 took as long with each."""

MOST_ROWS = 4096
"""Points of a batch at most."""

TRIED = 3
"""Entries of a block that are moved to see what one of them changes."""

LOOKED_AGAIN = 2.0**-36
"""What a value of the tape and of the plain cost may differ by where they are compared again, in units of
what is added up to give the cost, and of its precision."""


class TapeCosts:
    """Evaluates a recorded cost where coordinates of one block are moved.

    Parameters
    ----------
    tape : Tape
    plain : the engine of the same cost as it is
    """

    def __init__(self, tape: Tape, plain: PythonEngine) -> None:
        self.tape, self.batch, self.plain = tape, Batch(tape), plain
        self.parameters = plain.parameters
        self.scale = rounding_scale(tape)
        self.precision = precision_of(tape)
        self.at_parameters = float(tape.base[tape.output].reshape(-1)[0])
        """The plain cost there, once it is known."""
        self._offsets: dict[tuple[int, ...], float] = {}
        self._sizes: dict[int, tuple[int, int]] = {}
        self._lock = threading.Lock()

    def __getstate__(self) -> dict[str, Any]:
        """All but the lock, which another process has of its own."""
        return self.__dict__ | {"_lock": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """The same with a lock."""
        self.__dict__.update(state)
        self._lock = threading.Lock()

    def moved(self, number: int, inside: IndexArray, offsets: Values) -> Values:
        """The costs (m, S) where entries (m,) of a block are moved by offsets (m, S)."""
        where, new = np.repeat(inside, offsets.shape[1]), self.points(number, inside, offsets).reshape(-1)
        out, strayed = np.empty(len(new)), np.zeros(len(new), dtype=bool)
        rows = self.rows_of(number)
        for k in range(0, len(new), rows):
            some = slice(k, min(k + rows, len(new)))
            change = Sparse(where[some][:, None], new[some][:, None])
            self._evaluate({number: change}, frozenset(), out[some], strayed[some])
        return self._settled(number, inside, offsets, out, strayed)

    def after(
        self,
        changes: dict[int, Change],
        skipped: frozenset[int],
        number: int,
        inside: IndexArray,
        offsets: Values,
    ) -> Values:
        """The same, from changes of values at these points; operations that they stand for are skipped."""
        out, strayed = np.empty(offsets.size), np.zeros(offsets.size, dtype=bool)
        self._evaluate(changes, skipped, out, strayed)
        return self._settled(number, inside, offsets, out, strayed)

    def points(self, number: int, inside: IndexArray, offsets: Values) -> Array:
        """What entries of a block become, in its dtype; (m, S)."""
        leaf = self.parameters.leaves[number]
        return np.asarray((leaf[inside].astype(np.float64)[:, None] + offsets).astype(leaf.dtype))

    def by_plain_cost(self, indices: IndexArray, offsets: Values) -> Values:
        """The values of the plain cost, by flat indices."""
        with self._lock:
            return self.plain.values(indices, offsets)

    def look_again(self, indices: IndexArray, offsets: Values, found: Values) -> None:
        """Compare one value with the plain cost's: it may be another cost by now, by its own state or data.

        Raises
        ------
        AnotherCostError
            Where they differ.
        """
        k = len(indices) // 2
        value = found[k, 0]
        expected = self.by_plain_cost(indices[k : k + 1], offsets[k : k + 1, :1])[0, 0]
        close = abs(value - expected) <= LOOKED_AGAIN * self.scale * self.precision
        if not close and (np.isfinite(expected) or np.isfinite(value)):
            label = self.parameters.label(int(indices[k]))
            raise AnotherCostError(
                f"where {label} is moved the cost is {expected:.17g}, and what was recorded of it gives "
                f"{value:.17g}: it keeps state, or its data changed",
                code="FG607",
            )

    def rows_of(self, number: int) -> int:
        """How many points make a batch where a block is moved."""
        return int(np.clip(CACHE // (8 * self._sizes_of(number)[0]), 1, MOST_ROWS))

    def entries_of(self, number: int) -> int:
        """How many entries of all values one moved entry of a block changes."""
        return self._sizes_of(number)[1]

    def baseline(self) -> float:
        """The plain cost at the parameters."""
        with self._lock:
            self.at_parameters = self.plain.baseline()
        return self.at_parameters

    def release(self) -> None:
        """Free the private copy of the parameters."""
        with self._lock:
            self.plain.release()

    def finish(self) -> None:
        """Refuse a cost that wrote to its parameters."""
        with self._lock:
            self.plain.finish()

    def pause(self) -> None:
        """Refuse such a cost between two calls of `values`."""
        with self._lock:
            self.plain.pause()

    def _settled(
        self, number: int, inside: IndexArray, offsets: Values, out: Floats, strayed: Bools
    ) -> Values:
        """Values in the shape of the offsets, those of the plain cost where points strayed from the tape."""
        found = out.reshape(offsets.shape)
        if strayed.any():
            again = strayed.reshape(offsets.shape).any(axis=1)
            indices = self.parameters.blocks[number].start + inside[again]
            found[again] = self.by_plain_cost(indices, offsets[again])
        return found

    def _evaluate(
        self, changes: dict[int, Change], skipped: frozenset[int], out: Floats, strayed: Bools
    ) -> None:
        """Write the costs at all points, and at which of them the plain cost is to be called."""
        points, way = len(out), list(changes)

        def note(number: int, change: Change) -> None:
            way.append(number if isinstance(change, Dense) else ~number)

        try:
            with np.errstate(all="ignore"):  # a NaN or an infinity shows in the values
                states = self.batch.evaluate(changes, skipped, note)
                out[:] = self.batch.cost(states, points)
                strayed[:] = self.batch.strayed(states, points)
                out -= self._offset(tuple(way), changes, skipped)
        except Ragged as ragged:
            for group in np.unique(ragged.groups):
                at = np.flatnonzero(ragged.groups == group)
                some, off = np.empty(len(at)), np.zeros(len(at), dtype=bool)
                self._evaluate({n: change.at(at) for n, change in changes.items()}, skipped, some, off)
                out[at], strayed[at] = some, off
        except FAILURES:
            strayed[:] = True

    def _offset(self, way: tuple[int, ...], changes: dict[int, Change], skipped: frozenset[int]) -> float:
        """What the cost at the parameters themselves differs by, where it is computed in the same way.

        A batch sums in another order than the cost. In float32 that is no small rounding, and as it is the
        same at all points but the parameters themselves, it would look like a jump there.
        """
        if way not in self._offsets:
            two = np.zeros(2, dtype=np.intp)
            still = {n: change.at(two).undone(self.tape.base[n]) for n, change in changes.items()}
            states = self.batch.evaluate(still, skipped)
            found = float(self.batch.cost(states, 2)[0]) - self.at_parameters
            self._offsets[way] = found if np.isfinite(found) else 0.0
        return self._offsets[way]

    def _sizes_of(self, number: int) -> tuple[int, int]:
        """The largest change of a value where an entry of a block is moved, and all together, in entries.

        They are those of a few fixed entries, so that batches do not depend on where a plan is cut.
        """
        if number not in self._sizes:
            found = [self._sizes_at(number, k) for k in spread_over(self.tape.base[number].size, TRIED)]
            self._sizes[number] = max(largest for largest, _ in found), max(total for _, total in found)
        return self._sizes[number]

    def _sizes_at(self, number: int, inside: int) -> tuple[int, int]:
        sizes = [1]

        def note(_: int, change: Change) -> None:
            sizes.append(change.new[0].size * (1 if isinstance(change, Dense) else 2))

        at = np.array([[inside]], dtype=np.intp)
        moved = Sparse(at, self.tape.base[number].reshape(-1)[at])
        try:
            with np.errstate(all="ignore"):
                self.batch.evaluate({number: moved}, seen=note, widened=sizes.append)
        except FAILURES:
            pass
        return max(sizes), sum(sizes)


def precision_of(tape: Tape) -> float:
    """The machine epsilon of a tape's least precise values, in units of that of float64."""
    single = any(tape.base[n].dtype == np.float32 for o in tape.operations for n in o.outputs)
    return float(np.finfo(np.float32).eps / np.finfo(np.float64).eps) if single else 1.0


def rounding_scale(tape: Tape) -> float:
    """The size of what is added up to give the cost: its rounding is a few ulps of that."""
    largest = float(np.max(np.abs(np.nan_to_num(tape.base[tape.output])), initial=0.0))
    for operation in tape.operations:
        if all(tape.base[number].size == 1 for number in operation.outputs):
            for number in operation.inputs:
                base = tape.base[number]
                if base.dtype.kind == "f":
                    largest = max(largest, float(np.nansum(np.abs(base), where=np.isfinite(base))))
    return largest
