"""The recorder: it calls a cost once with arrays that note what is done to them, and gives the tape.

`record` makes a `Recorded` array of each parameter array and calls the cost. What the cost does to them comes
here, computes as NumPy does, and is appended to the tape. Arrays that do not depend on the parameters stay
plain, but for those that NumPy makes inside the cost (`numpy_functions`), into which the cost may write.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fastgrad.engines.traced.data import seen_by_methods
from fastgrad.engines.traced.declined import Declined, line_of_error, users_line
from fastgrad.engines.traced.left_behind import made_plain
from fastgrad.engines.traced.simplify import simplified
from fastgrad.engines.traced.tape import Array, Operation, Ref, Tape, substituted

MOST_OPERATIONS = 20_000
"""Operations of a tape at most. Each takes a few microseconds of Python at each evaluation of a batch."""

MOST_BYTES = 192 * 2**20
"""Bytes of values that the operations of a tape may give."""


class Recorder:
    """Appends operations to a tape while a cost is called.

    Parameters
    ----------
    leaves : the arrays of the parameters
    """

    def __init__(self, leaves: Sequence[Array], names: Sequence[str] = ()) -> None:
        self.names = tuple(names)
        self.base: list[Array] = [_read_only(np.array(leaf)) for leaf in leaves]
        self.inputs = tuple(range(len(leaves)))
        self.operations: list[Operation] = []
        self.guards: dict[int, None] = {}
        self.declined: Declined | None = None
        self.handed_out: dict[int, tuple[Any, int, Declined]] = {}
        """Numbers that float() gave, by their id, with the value of the tape that each is, and what to say
        where the cost returns something else."""
        self.closed = False
        self.bytes = 0
        self.owner = threading.get_ident()
        self.made: list[weakref.ref[Any]] = []
        """The recorded arrays."""

    def decline(self, reason: str) -> Declined:
        """The exception that says why the cost cannot be recorded; it counts though the cost catches it."""
        declined = Declined(reason, users_line())
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
        operation = Operation(function, args, kwargs, (), False, users_line())
        with np.errstate(all="ignore"):
            result = function(
                *_given(args, self.base), **{k: _given(v, self.base) for k, v in kwargs.items()}
            )
        several = isinstance(result, tuple | list)
        if not operation.inputs:
            return result, (), several
        found = list(result) if several else [result]
        start = len(self.base)
        inputs = [self.base[number] for number in operation.inputs]
        for value in found:
            self._keep(value, function, inputs)
        outputs = tuple(range(start, len(self.base)))
        self.operations.append(Operation(function, args, kwargs, outputs, several, operation.place))
        if len(self.operations) > MOST_OPERATIONS:
            raise self.decline(
                f"the cost makes more than {MOST_OPERATIONS:,} NumPy operations: write its loops as operations "
                "on whole arrays"
            )
        return result, outputs, several

    def hand_out(self, number: float, value: int, otherwise: str) -> None:
        """Note that a plain number was given for a value, which the cost is to return as it is."""
        self.handed_out[id(number)] = number, value, Declined(otherwise, users_line())

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


def record(cost: Callable[..., Any], parameters: Any, args: tuple[Any, ...]) -> Tape:
    """The tape of a cost.

    Parameters
    ----------
    cost : callable(params, *args) -> float
    parameters : Parameters
    args : what the cost takes beside the parameters

    Raises
    ------
    Declined
        Where something was done to the parameters that cannot be recorded.
    """
    try:
        return _recorded(cost, parameters, args)
    except Declined as declined:
        if not declined.by_dot:
            raise
    with seen_by_methods(cost, args) as given:
        return _recorded(cost, parameters, given)


def _recorded(cost: Callable[..., Any], parameters: Any, args: tuple[Any, ...]) -> Tape:
    """The tape of one call of the cost."""
    names = tuple(block.shown for block in parameters.blocks)
    recorder = Recorder(parameters.shaped(parameters.leaves), names)
    recorder.require_plain_state()
    try:
        result = _call_cost(recorder, cost, parameters, args)
        if recorder.declined is not None:  # anew: the traceback of the first one keeps arrays alive
            raise Declined(recorder.declined.reason, recorder.declined.place, recorder.declined.by_dot)
        output = _output(recorder, result)
        del result
    finally:
        recorder.closed = True
        made_plain(recorder.made)
    return simplified(recorder.tape(output))


def _call_cost(recorder: Recorder, cost: Callable[..., Any], parameters: Any, args: tuple[Any, ...]) -> Any:
    """What the cost returns of recorded arrays."""
    from fastgrad.engines.traced.numpy_functions import recording
    from fastgrad.engines.traced.recorded_array import Recorded

    arrays = [Recorded(recorder, recorder.base[k], k) for k in recorder.inputs]
    for array in arrays:
        array.is_parameter = True
    result: Any = None
    with recording(recorder), np.errstate(all="ignore"):
        try:
            result = cost(parameters.build(arrays), *args)
        except Declined as declined:
            recorder.declined = recorder.declined or declined
        except Exception as error:
            reason = f"the cost raised {type(error).__name__} while it was recorded: {error}"
            recorder.declined = recorder.declined or Declined(reason, line_of_error(error))
    if recorder.declined is not None:
        recorder.declined.__traceback__ = recorder.declined.__context__ = None
    return result


def _output(recorder: Recorder, result: Any) -> int:
    from fastgrad.engines.traced.recorded_array import Recorded

    known = recorder.handed_out.get(id(result))
    if known is not None and known[0] is result and len(recorder.handed_out) == 1:
        return known[1]
    if recorder.handed_out:  # return max(map(float, x)): numbers were compared, and nothing noted it
        raise next(iter(recorder.handed_out.values()))[2]
    if not isinstance(result, Recorded):
        raise Declined(
            f"the cost returns {type(result).__name__} that does not follow from the parameters by operations "
            "that can be recorded"
        )
    if result.recorder is not recorder:
        raise Declined("the cost returns an array that an earlier call of it made")
    if result.size != 1:
        raise Declined(f"the cost returns an array of shape {result.shape}")
    source = result.reference()
    if not isinstance(source, Ref):
        raise Declined("the cost does not depend on its parameters")
    return source.number


def _given(tree: Any, base: list[Array]) -> Any:
    """The arguments with base values."""
    return substituted(tree, base.__getitem__)
