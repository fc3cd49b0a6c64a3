"""The writer of a tape: operations on recorded arrays are computed as NumPy does, and noted."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fastgrad.engines.traced.declined import Declined, users_place
from fastgrad.engines.traced.tape import Array, Operation, Tape, inputs_of, substituted

MOST_OPERATIONS = 20_000
"""Operations of a tape at most. Each takes a few microseconds of Python at each evaluation of a batch."""

MOST_BYTES = 192 * 2**20
"""Bytes of values that the operations of a tape may give."""


class Recorder:
    """Appends operations to a tape while a cost is called.

    Parameters
    ----------
    leaves : the arrays of the parameters
    names : of the parameters, for those who read the tape
    """

    def __init__(self, leaves: Sequence[Array], names: Sequence[str] = ()) -> None:
        self.names = tuple(names)
        self.base: list[Array] = [_read_only(np.array(leaf)) for leaf in leaves]
        self.inputs = tuple(range(len(leaves)))
        self.scalars: set[int] = set()
        """The values that NumPy gave as scalars, of which some functions give scalars again."""
        self.operations: list[Operation] = []
        self.guards: dict[int, None] = {}
        self.declined: Declined | None = None
        self.handed_out: dict[int, tuple[Any, int, Declined]] = {}
        """Numbers that float() gave, by their id, with the value of the tape that each is, and what to say
        where the cost returns something else."""
        self.closed = False
        self.made_plain_array = False
        """Whether the cost was declined for a plain array that was asked for."""
        self.bytes = 0
        self.owner = threading.get_ident()
        self.made: list[weakref.ref[Any]] = []
        """The recorded arrays."""
        self.array_class: Any = None
        """Of recorded arrays: functions make their results of it, and are imported by its module."""

    def decline(self, reason: str) -> Declined:
        """The exception that says why the cost cannot be recorded; it counts though the cost catches it."""
        declined = Declined(reason, str(users_place()))
        if self.declined is None:
            self.declined = declined
        return declined

    def append(
        self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[Any, tuple[int, ...], bool]:
        """Compute a function of arrays, and note it if it depends on the parameters.

        Returns
        -------
        result : what the function gives
        outputs : the numbers of its values; none where it does not depend on the parameters
        several : whether it gives several
        """
        self.require_plain_state()
        inputs = inputs_of(args, kwargs)
        with np.errstate(all="ignore"):
            named = {k: substituted(v, self._base_of) for k, v in kwargs.items()}
            result = function(*substituted(args, self._base_of), **named)
        several = isinstance(result, tuple | list)
        if not inputs:
            return result, (), several
        found = list(result) if several else [result]
        start = len(self.base)
        given = [self.base[number] for number in inputs]
        for value in found:
            self._keep(value, function, given)
        outputs = tuple(range(start, len(self.base)))
        self.operations.append(Operation(function, args, kwargs, outputs, several, users_place(), inputs))
        if len(self.operations) > MOST_OPERATIONS:
            raise self.decline(
                f"the cost makes more than {MOST_OPERATIONS:,} NumPy operations: write its loops as "
                "operations on whole arrays"
            )
        return result, outputs, several

    def _base_of(self, number: int) -> Any:
        return self.base[number][()] if number in self.scalars else self.base[number]

    def hand_out(self, number: float, value: int, otherwise: str) -> None:
        """Note that a plain number was given for a value, which the cost is to return as it is."""
        self.handed_out[id(number)] = number, value, Declined(otherwise, str(users_place()))

    def guard(self, number: int) -> None:
        """Note that the course of the cost depends on a value."""
        self.guards[number] = None

    def tape(self, output: int) -> Tape:
        """The tape that was recorded."""
        tape = Tape(self.inputs, self.operations, self.base, output, self.names, tuple(self.guards))
        return tape.pruned()

    def require_plain_state(self) -> None:
        """Decline what a tape cannot tell: the thread, and errors that NumPy is told to raise."""
        if threading.get_ident() != self.owner:
            raise self.decline("the cost works in several threads")
        if not set(np.geterr().values()) <= {"ignore", "warn"}:
            raise self.decline(
                "np.errstate tells NumPy to raise or to call something, which a tape does not do"
            )

    def _keep(self, value: Any, function: Callable[..., Any], inputs: list[Array]) -> None:
        if not isinstance(value, np.ndarray | np.generic | bool | int | float | complex):
            name = getattr(function, "__name__", repr(function))
            raise self.decline(f"{name} gives {type(value).__name__}, which cannot be recorded")
        if isinstance(value, np.ma.MaskedArray | np.matrix):
            raise self.decline(f"{type(value).__name__} cannot be recorded: say np.asarray of it")
        array = np.asarray(value)
        if array.dtype.kind not in "biufc":
            raise self.decline(f"an array of {array.dtype} cannot be recorded")
        if not isinstance(value, np.ndarray):
            self.scalars.add(len(self.base))
        self.base.append(_read_only(array))
        if not any(np.may_share_memory(array, x) for x in inputs):
            self.bytes += array.nbytes
        if self.bytes > MOST_BYTES:
            raise self.decline(
                f"the cost makes arrays of more than {MOST_BYTES >> 20} MiB in all: give it less data"
            )


def _read_only(array: Array) -> Array:
    """A view that no function can write to: what a tape holds must stay what it was."""
    view = array.view()
    view.flags.writeable = False
    return view
