"""Where a cost first uses some entries of one of its parameters, by the tape.

What only moves entries, such as a slice of a long vector, is followed: entries that it leaves out are not
used there.
"""

from __future__ import annotations

import numpy as np

from fastgrad.arrays import Bools
from fastgrad.engines.traced.movement import moves_entries
from fastgrad.engines.traced.tape import Operation, Tape


def first_uses(tape: Tape, number: int, entries: Bools) -> list[Operation]:
    """The operations that use entries of a parameter, in the order in which the cost makes them.

    Parameters
    ----------
    tape : Tape
    number : of the parameter's array
    entries : which of its entries are asked for, in its shape

    Examples
    --------
    >>> from fastgrad.engines.traced.recorder import record
    >>> from fastgrad.problem.parameters import Parameters
    >>> tape = record(lambda x: np.sum(np.sin(x[:2])) + np.sum(np.exp(x[2:])), Parameters(np.ones(4)), ())
    >>> [operation.function.__name__ for operation in first_uses(tape, 0, np.arange(4) == 3)]
    ['getitem', 'exp']
    """
    reached = {number: entries}
    found = []
    for operation in tape.operations:
        if reached.keys().isdisjoint(operation.inputs):
            continue
        went = _moved(tape, operation, reached) if moves_entries(operation) else {}
        if went is None:
            continue
        found.append(operation)
        reached |= went
    return found


def _moved(tape: Tape, operation: Operation, reached: dict[int, Bools]) -> dict[int, Bools] | None:
    """Where entries are in what an operation gives; None where it leaves them all out.

    They are marked by NaN: a movement does not look at the numbers.
    """

    def marked(number: int) -> np.ndarray:
        return np.where(reached.get(number, np.zeros(tape.base[number].shape, dtype=bool)), np.nan, 0.0)

    try:
        given = operation.evaluate(marked)
    except (TypeError, ValueError):  # it has constants of a kind that cannot stand beside NaN
        return {}
    marks = {n: np.isnan(np.asarray(x)) for n, x in zip(operation.outputs, given, strict=True)}
    here = {n: mark for n, mark in marks.items() if mark.any()}
    return here or None
