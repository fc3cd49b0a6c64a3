"""The cost's data as recorded constants, so that methods of a plain array are seen: X.dot(W).

NumPy does not ask a recorded W what X.dot(W) gives, where X is plain. Where a cost was declined for that, it
is called again with its data as recorded constants: arguments, the attributes of its object, what its
function closes over, and the arrays among its module's names. The user's objects stay as they are: the
function and its object are copied.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from types import CellType, FunctionType, MethodType
from typing import Any

import numpy as np

from fastgrad.engines.traced.recorded_array import Recorded
from fastgrad.engines.traced.writer import Recorder


def with_constants(
    recorder: Recorder, cost: Callable[..., Any], args: tuple[Any, ...]
) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    """A cost and its arguments with recorded constants in place of plain arrays.

    Parameters
    ----------
    recorder : Recorder
    cost : callable(params, *args)
    args : what the cost takes beside the parameters
    """
    return _function(recorder, cost), tuple(_constant(recorder, arg) for arg in args)


def _function(recorder: Recorder, cost: Callable[..., Any]) -> Callable[..., Any]:
    if isinstance(cost, MethodType):
        return MethodType(_function(recorder, cost.__func__), _object(recorder, cost.__self__))
    if not isinstance(cost, FunctionType):
        return cost
    cells = tuple(_cell(recorder, cell) for cell in cost.__closure__ or ())
    defaults = tuple(_constant(recorder, value) for value in cost.__defaults__ or ())
    names = _constants(recorder, cost.__globals__)
    made = FunctionType(cost.__code__, names, cost.__name__, defaults or None, cells or None)
    made.__kwdefaults__ = _constants(recorder, cost.__kwdefaults__ or {})
    return made


def _object(recorder: Recorder, owner: Any) -> Any:
    """A copy of an object, whose arrays are recorded constants; the object itself where it has no copy."""
    if isinstance(owner, type) or not isinstance(getattr(owner, "__dict__", None), dict):
        return owner
    made = copy.copy(owner)
    if made is not owner and isinstance(getattr(made, "__dict__", None), dict):
        vars(made).update(_constants(recorder, vars(made)))
    return made


def _cell(recorder: Recorder, cell: CellType) -> CellType:
    try:
        return CellType(_constant(recorder, cell.cell_contents))
    except ValueError:  # empty: a name that is not bound yet
        return cell


def _constants(recorder: Recorder, names: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _constant(recorder, value) for name, value in names.items()}


def _constant(recorder: Recorder, value: Any) -> Any:
    """An array as a recorded constant, also in a list, a tuple or a dict; anything else as it is."""
    if type(value) is np.ndarray and value.dtype.kind in "biufc":
        return Recorded(recorder, value, None)
    if type(value) in (tuple, list):
        return type(value)(_constant(recorder, item) for item in value)
    if type(value) is dict and len(value) < MOST_ITEMS:
        return {key: _constant(recorder, item) for key, item in value.items()}
    return value


MOST_ITEMS = 1000
"""Items of a dict that is looked through."""
