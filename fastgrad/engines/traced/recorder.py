"""The recorder: it calls a cost once with arrays that note what is done to them, and gives the tape.

`record` makes a `Recorded` array of each parameter array and calls the cost. What the cost does to them goes
to the `writer`, and is appended to the tape. Arrays that do not depend on the parameters stay plain, but for
those that NumPy makes inside the cost (`numpy_functions`), into which the cost may write.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fastgrad.engines.traced.constants import with_constants
from fastgrad.engines.traced.declined import Declined, line_of_error
from fastgrad.engines.traced.left_behind import made_plain
from fastgrad.engines.traced.numpy_functions import recording
from fastgrad.engines.traced.recorded_array import Recorded
from fastgrad.engines.traced.simplify import simplified
from fastgrad.engines.traced.tape import Ref, Tape
from fastgrad.engines.traced.writer import Recorder


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
    recorder = _recorder(parameters)
    try:
        return _recorded(recorder, cost, parameters, args)
    except Declined as declined:
        if not recorder.made_plain_array:
            raise
        first = declined
    recorder = _recorder(parameters)
    try:
        cost, args = with_constants(recorder, cost, args)
        return _recorded(recorder, cost, parameters, args)
    except Declined:
        raise first from None


def _recorder(parameters: Any) -> Recorder:
    recorder = Recorder(
        parameters.shaped(parameters.leaves), tuple(block.shown for block in parameters.blocks)
    )
    recorder.require_plain_state()
    return recorder


def _recorded(recorder: Recorder, cost: Callable[..., Any], parameters: Any, args: tuple[Any, ...]) -> Tape:
    try:
        result = _call_cost(recorder, cost, parameters, args)
        if recorder.declined is not None:  # anew: the traceback of the first one keeps arrays alive
            raise Declined(recorder.declined.reason, recorder.declined.place)
        output = _output(recorder, result)
        del result
    finally:
        recorder.closed = True
        made_plain(recorder.made)
    return simplified(recorder.tape(output))


def _call_cost(recorder: Recorder, cost: Callable[..., Any], parameters: Any, args: tuple[Any, ...]) -> Any:
    """What the cost returns of recorded arrays."""
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
    known = recorder.handed_out.get(id(result))
    if known is not None and known[0] is result and len(recorder.handed_out) == 1:
        return known[1]
    if recorder.handed_out:  # return max(map(float, x)): numbers were compared, and nothing noted it
        raise next(iter(recorder.handed_out.values()))[2]
    if not isinstance(result, Recorded):
        raise Declined(
            f"the cost returns {type(result).__name__} that does not follow from the parameters by "
            "operations that can be recorded"
        )
    if result.recorder is not recorder:
        raise Declined("the cost returns an array that an earlier call of it made")
    if result.size != 1:
        raise Declined(f"the cost returns an array of shape {result.shape}")
    source = result.reference()
    if not isinstance(source, Ref):
        raise Declined("the cost does not depend on its parameters")
    return source.number
