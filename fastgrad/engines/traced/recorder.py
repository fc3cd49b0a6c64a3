"""The recorder: it calls a cost once with arrays that note what is done to them, and gives the tape.

`record` makes a `Recorded` array of each parameter array and calls the cost. What the cost does to them comes
here, computes as NumPy does, and is appended to the tape. Arrays that do not depend on the parameters stay
plain, but for those that NumPy makes inside the cost (`numpy_functions`), into which the cost may write.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fastgrad.engines.traced.declined import Declined, users_line
from fastgrad.engines.traced.simplify import simplified
from fastgrad.engines.traced.tape import Array, Operation, Ref, Tape

MOST_OPERATIONS = 20_000
"""Operations of a tape at most. Each takes a few microseconds of Python at each evaluation of a batch."""

MOST_BYTES = 192 * 2**20
"""Bytes of values that the operations of a tape may give."""


class Recorder:
    """Appends operations to a tape while a cost is called."""

    def __init__(self, leaves: Sequence[Array]) -> None:
        self.base: list[Array] = [np.array(leaf) for leaf in leaves]
        self.inputs = tuple(range(len(leaves)))
        self.operations: list[Operation] = []
        self.guards: dict[int, None] = {}
        self.declined: Declined | None = None
        self.handed_out: dict[int, tuple[Any, int, Declined]] = {}
        """Numbers that float() gave, by their id, with the value of the tape that each is, and what to say
        where the cost returns something else."""
        self.closed = False
        self.bytes = 0

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
        operation = Operation(function, args, kwargs, (), False, users_line())
        with np.errstate(all="ignore"):
            result = function(*_given(args, self.base), **{k: _given(v, self.base) for k, v in kwargs.items()})
        several = isinstance(result, tuple | list)
        if not operation.inputs:
            return result, (), several
        found = list(result) if several else [result]
        start = len(self.base)
        for value in found:
            self._keep(value, function)
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
        return Tape(self.inputs, self.operations, self.base, output, tuple(self.guards)).pruned()

    def _keep(self, value: Any, function: Callable[..., Any]) -> None:
        if not isinstance(value, np.ndarray | np.generic | bool | int | float | complex):
            name = getattr(function, "__name__", repr(function))
            raise self.decline(f"{name} gives {type(value).__name__}, which cannot be recorded")
        array = np.asarray(value)
        if array.dtype.hasobject:
            raise self.decline("an array of Python objects cannot be recorded")
        self.base.append(array)
        if array.base is None:
            self.bytes += array.nbytes
        if self.bytes > MOST_BYTES:
            raise self.decline(
                f"the cost makes arrays of more than {MOST_BYTES >> 20} MiB in all: give it less data"
            )


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
    from fastgrad.engines.traced.numpy_functions import recording
    from fastgrad.engines.traced.recorded_array import Recorded

    leaves = parameters.shaped(parameters.leaves)
    recorder = Recorder(leaves)
    arrays = [Recorded(recorder, recorder.base[k], k) for k in recorder.inputs]
    for array in arrays:
        array.is_parameter = True
    structure = parameters.build(arrays)
    result: Any = None
    with recording(recorder), np.errstate(all="ignore"):
        try:
            result = cost(structure, *args)
        except Declined as declined:
            recorder.declined = recorder.declined or declined
        except RecursionError as error:
            recorder.declined = Declined(f"the cost raised RecursionError while it was recorded: {error}")
        except Exception as error:
            place = _place_of(error)
            recorder.declined = recorder.declined or Declined(
                f"the cost raised {type(error).__name__} while it was recorded: {error}", place
            )
        finally:
            recorder.closed = True
    if recorder.declined is not None:
        raise recorder.declined
    return simplified(recorder.tape(_output(recorder, result)))


def _output(recorder: Recorder, result: Any) -> int:
    from fastgrad.engines.traced.recorded_array import Recorded

    known = recorder.handed_out.get(id(result))
    if known is not None and known[0] is result:
        return known[1]
    if not isinstance(result, Recorded):
        if recorder.handed_out:
            raise next(iter(recorder.handed_out.values()))[2]
        raise Declined(
            f"the cost returns {type(result).__name__} that does not follow from the parameters by operations "
            "that can be recorded"
        )
    if result.size != 1:
        raise Declined(f"the cost returns an array of shape {result.shape}")
    source = result.reference()
    if not isinstance(source, Ref):
        raise Declined("the cost does not depend on its parameters")
    return source.number


def _place_of(error: Exception) -> str:
    from pathlib import Path

    place, trace = "", error.__traceback__
    while trace is not None:
        name = trace.tb_frame.f_code.co_filename
        if "site-packages" not in name and "/fastgrad/engines/traced/" not in name.replace("\\", "/"):
            place = f"{Path(name).name}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place


def _given(tree: Any, base: list[Array]) -> Any:
    """The arguments with base values."""
    from fastgrad.engines.traced.tape import substituted

    return substituted(tree, base.__getitem__)


@contextlib.contextmanager
def nothing() -> Any:
    """No context."""
    yield
