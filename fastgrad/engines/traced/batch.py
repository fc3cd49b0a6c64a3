"""A tape evaluated at K perturbed points at a time.

`evaluate` takes the changes of the parameters and passes them from operation to operation: few entries as
long as they stay few, whole values where not (`sparse_rules`, `dense_rules`, `movement`). What does not
change is not computed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from fastgrad.arrays import Bools
from fastgrad.engines.traced.changes import Change, Dense, Sparse, as_dense
from fastgrad.engines.traced.dense_rules import evaluate_dense
from fastgrad.engines.traced.movement import Movement, movements_of, moves_entries
from fastgrad.engines.traced.sparse_rules import SparseRules
from fastgrad.engines.traced.tape import Operation, Tape


class Batch:
    """Evaluates a tape; it holds what the rules know of its operations.

    Parameters
    ----------
    tape : Tape
    """

    def __init__(self, tape: Tape) -> None:
        self.tape = tape
        self.sparse = SparseRules(tape)
        self._movements: dict[int, list[Movement]] = {}
        self._last_use = _last_uses(tape)

    def evaluate(
        self,
        changes: dict[int, Change],
        skipped: frozenset[int] = frozenset(),
        seen: Callable[[int, Change], None] | None = None,
        keep: Iterable[int] = (),
        widened: Callable[[int], None] | None = None,
    ) -> dict[int, Change]:
        """The changes of the cost and of the guards, and of what is to be kept.

        Parameters
        ----------
        changes : of some values, at K points
        skipped : positions of operations that are not evaluated, for their results are given or not wanted
        seen : called with each change
        keep : values whose changes are wanted as well
        widened : called with the entries of each sparse operand that an operation needs whole

        Raises
        ------
        Ragged
            Where points have to be evaluated apart.
        """
        points = next(iter(changes.values())).points
        states = dict(changes)
        wanted = {self.tape.output, *self.tape.guards, *keep}
        for position, operation in enumerate(self.tape.operations):
            mine = {n: states[n] for n in operation.inputs if n in states}
            if mine and position not in skipped:
                for number, change in self._step(position, operation, mine, points, widened):
                    states[number] = change
                    if seen is not None:
                        seen(number, change)
            for number in mine:
                if self._last_use[number] == position and number not in wanted:
                    del states[number]
        return states

    def _step(
        self,
        position: int,
        operation: Operation,
        mine: dict[int, Change],
        points: int,
        widened: Callable[[int], None] | None,
    ) -> list[tuple[int, Change]]:
        movements = self._movements_at(position, operation)
        if movements is not None:
            moved = (
                (number, movement.applied(mine, self.tape.base, self.tape.base[number]))
                for movement, number in zip(movements, operation.outputs, strict=True)
            )
            return [(number, change) for number, change in moved if change is not None]
        sparse = self.sparse.result(operation, mine)
        if sparse is not None:
            return [(operation.outputs[0], sparse)]
        for number, change in mine.items():
            if widened is not None and not isinstance(change, Dense):
                widened(self.tape.base[number].size)
        values = {number: as_dense(change, self.tape.base[number], points) for number, change in mine.items()}
        found = evaluate_dense(operation, self.tape, values, points)
        return [(number, Dense(new)) for number, new in zip(operation.outputs, found, strict=True)]

    def _movements_at(self, position: int, operation: Operation) -> list[Movement] | None:
        if position not in self._movements:
            self._movements[position] = movements_of(operation, self.tape) if moves_entries(operation) else []
        return self._movements[position] or None

    def cost(self, states: dict[int, Change], points: int) -> Any:
        """(K,) the cost at all points."""
        base = self.tape.base[self.tape.output]
        return as_dense(states.get(self.tape.output), base, points).reshape(points)

    def strayed(self, states: dict[int, Change], points: int) -> Bools:
        """(K,) the points at which the cost may take another way, for a guard differs."""
        off = np.zeros(points, dtype=bool)
        for number in self.tape.guards:
            change, base = states.get(number), self.tape.base[number]
            if isinstance(change, Sparse):
                off |= (change.new != base.reshape(-1)[change.where]).any(axis=1)
            elif change is not None:
                off |= (change.new != base).reshape(points, -1).any(axis=1)
        return off


def _last_uses(tape: Tape) -> dict[int, int]:
    found: dict[int, int] = dict.fromkeys(range(len(tape.base)), -1)
    for position, operation in enumerate(tape.operations):
        found.update(dict.fromkeys(operation.inputs, position))
    return found
