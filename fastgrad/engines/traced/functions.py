"""What happens when a function of NumPy is called with recorded arrays.

`Recorded` hands every call on to `call_ufunc` and `call_function`. Most are appended to the tape as they are;
some are written as other functions first (`composed`), so that few rules are needed to evaluate a tape.
"""

from __future__ import annotations

import inspect
import operator
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from fastgrad.engines.traced.data import without_methods
from fastgrad.engines.traced.kinds import ELEMENTWISE
from fastgrad.engines.traced.primitives import Written, cast
from fastgrad.engines.traced.tape import Array, Method

if TYPE_CHECKING:
    from fastgrad.engines.traced.recorder import Recorder

COPIED = 2**16
"""Bytes of a constant up to which the tape keeps a copy: the cost may write to it later."""

METADATA = {
    np.shape, np.ndim, np.size, np.iscomplexobj, np.isrealobj, np.result_type, np.can_cast,
    np.min_scalar_type, np.may_share_memory, np.shares_memory, np.common_type,
}  # fmt: skip
"""Functions that depend on shapes and dtypes only."""

POSITIONS = {np.nonzero, np.flatnonzero, np.argwhere}
"""Functions whose result has as many entries as are not zero: which are is a guard."""

_FILE, _TEXT = "it writes a file", "it makes text"
DECLINED: dict[Callable[..., Any], str] = {
    np.save: _FILE, np.savez: _FILE, np.savez_compressed: _FILE, np.savetxt: _FILE,
    np.array2string: _TEXT, np.array_repr: _TEXT, np.array_str: _TEXT,
    np.lib.stride_tricks.as_strided: "it reads memory by strides: say sliding_window_view",
}  # fmt: skip
"""Functions that cannot be recorded, and why."""

WRITING = {np.put_along_axis, np.put, np.place, np.putmask, np.fill_diagonal, np.copyto}
"""Functions that write to their first argument."""

PYTHON_BOOL = {np.allclose, np.array_equal, np.array_equiv}
"""Functions that give a Python bool, on which the course of the cost depends."""


def settled_index(index: Any) -> Any:
    """An index without recorded arrays: their numbers become guards."""
    if isinstance(index, tuple):
        return tuple(settled_index(part) for part in index)
    if isinstance(index, list) and holds_recorded(index):
        return [settled_index(part) for part in index]
    if is_recorded(index):
        array = index.guarded()
        return operator.index(array[()]) if array.ndim == 0 and array.dtype.kind in "iu" else np.array(array)
    if isinstance(index, slice):
        parts = (index.start, index.stop, index.step)
        return slice(*(operator.index(p) if is_recorded(p) else p for p in parts))
    return np.array(index) if isinstance(index, np.ndarray) else index


def apply(
    recorder: Recorder, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """Compute a function of recorded arrays and append it to the tape; gives recorded arrays."""
    if recorder.closed:
        return function(*plain(args), **plain(kwargs))
    given, named = _referenced(recorder, args), _referenced(recorder, kwargs)
    result, outputs, several = recorder.append(function, given, named)
    values = list(result) if several else [result]
    numbers = outputs or (None,) * len(values)
    wrapped = [
        _wrapped(recorder, value, number, (function, args, kwargs, k if several else None))
        for k, (value, number) in enumerate(zip(values, numbers, strict=True))
    ]
    if not several:
        return wrapped[0]
    return type(result)(*wrapped) if hasattr(result, "_fields") else type(result)(wrapped)


def _wrapped(recorder: Recorder, value: Any, number: int | None, call: tuple[Any, ...]) -> Any:
    """A result as a recorded array; a view where NumPy gave one."""
    from fastgrad.engines.traced.recorded_array import Recorded

    function, args, kwargs, which = call
    if which is not None and isinstance(value, bool | int):  # such as `lower` of scipy.linalg.cho_factor
        if number is not None:
            recorder.guard(number)
        return value
    array, scalar = np.asarray(value), not isinstance(value, np.ndarray)
    source = next((s for s in _flat_recorded(args) if np.may_share_memory(array, s.array)), None)
    if scalar or source is None or source.size == 0:
        return Recorded(recorder, array, number, scalar=scalar)
    view = _view(function, args, kwargs, source, which) if array.dtype == source.dtype else None
    return Recorded(recorder, array, number, view_of=(source, view))


def call_ufunc(
    recorder: Recorder, ufunc: np.ufunc, method: str, inputs: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """What a ufunc gives of recorded arrays; with out= they are written to."""
    outs, kwargs = kwargs.get("out"), {k: v for k, v in kwargs.items() if k != "out"}
    if method == "at":
        _written(recorder, Method(ufunc, "at"), inputs, kwargs)
        return None
    if method != "__call__":
        result = _by_method(recorder, ufunc, method, inputs, kwargs)
    else:
        where = kwargs.pop("where", True)
        result = _called(recorder, ufunc, inputs, kwargs)
        if where is not True:
            result = _where(recorder, where, result, outs)
    return result if outs is None else _into(recorder, outs, result)


def _called(recorder: Recorder, ufunc: np.ufunc, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    from fastgrad.engines.traced.composed import COMPOSED

    inputs = tuple(map(_array_of_list, inputs))
    composed = COMPOSED.get(ufunc)
    if composed is not None and not kwargs and any(map(is_recorded, inputs)):
        return composed(*inputs)
    return apply(recorder, ufunc, inputs, kwargs)


def _by_method(
    recorder: Recorder, ufunc: np.ufunc, method: str, inputs: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    if method == "outer":
        a, b = map(stacked, inputs)
        return ufunc(np.reshape(a, a.shape + (1,) * b.ndim), b, **kwargs)
    if len(inputs) > 1 and method in ("reduce", "accumulate"):  # axis, dtype by place
        kwargs = dict(zip(("axis", "dtype"), inputs[1:], strict=False)) | kwargs
        inputs = inputs[:1]
    return apply(recorder, Method(ufunc, method), (_array_of_list(inputs[0]), *inputs[1:]), kwargs)


def _where(recorder: Recorder, where: Any, result: Any, outs: tuple[Any, ...] | None) -> Any:
    if outs is None or any(out is None for out in outs):
        raise recorder.decline("where= without out= leaves entries undefined: say np.where")
    if isinstance(result, tuple):
        return tuple(np.where(where, new, out) for new, out in zip(result, outs, strict=True))
    return np.where(where, result, outs[0])


def call_function(
    recorder: Recorder, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """What a function of NumPy gives of recorded arrays."""
    from fastgrad.engines.traced.composed import COMPOSED

    if function in METADATA:
        return function(*plain(args), **plain(kwargs))
    if function in DECLINED:
        raise recorder.decline(f"np.{function.__name__} cannot be recorded: {DECLINED[function]}")
    composed = COMPOSED.get(function)
    if composed is not None or function in WRITING:
        args, kwargs = _by_name(function, args, kwargs)
    if function in WRITING:
        return _written(recorder, function, args, kwargs)
    if function in POSITIONS or (function is np.where and len(args) == 1):
        return function((args[0] != 0).guarded())
    outs = kwargs.get("out")
    kwargs = {k: v for k, v in kwargs.items() if k != "out"}
    if composed is not None:
        result = composed(*args, **kwargs)
    else:
        result = _recorded_call(recorder, function, args, kwargs)
    return result if outs is None else _into(recorder, outs if isinstance(outs, tuple) else (outs,), result)


def _recorded_call(
    recorder: Recorder, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    if any(callable(x) and not isinstance(x, type) for x in (*args, *kwargs.values())):
        raise recorder.decline(
            f"np.{function.__name__} calls a function of the cost, which a tape cannot hold: write it as a loop"
        )
    if function in ELEMENTWISE:
        args = tuple(map(_array_of_list, args))
    result = apply(recorder, function, args, kwargs)
    return bool(result) if function in PYTHON_BOOL else result


def stacked(tree: Any) -> Any:
    """A nested list that holds recorded arrays as one recorded array."""
    if isinstance(tree, tuple | list):
        return np.stack([stacked(item) for item in tree]) if holds_recorded(tree) else np.asarray(tree)
    return tree if is_recorded(tree) else np.asarray(tree)


def holds_recorded(tree: Any) -> bool:
    """Whether a nested list holds a recorded array."""
    if isinstance(tree, tuple | list):
        return any(holds_recorded(item) for item in tree)
    return is_recorded(tree)


def is_recorded(value: Any) -> bool:
    """Whether something is a recorded array."""
    from fastgrad.engines.traced.recorded_array import Recorded

    return isinstance(value, Recorded)


def recorder_of(own: Recorder, *trees: Any) -> Recorder:
    """The recorder that is at work: an array may be left from an earlier call of the cost."""
    if not own.closed:
        return own
    return next((found.recorder for found in _flat_recorded(trees) if not found.recorder.closed), own)


def recorder_among(*trees: Any) -> Recorder:
    """The recorder of the arrays in some arguments, one of which is recorded."""
    return recorder_of(next(_flat_recorded(trees)).recorder, *trees)


def _flat_recorded(tree: Any) -> Iterator[Any]:
    if isinstance(tree, tuple | list):
        for item in tree:
            yield from _flat_recorded(item)
    elif isinstance(tree, dict):
        yield from _flat_recorded(list(tree.values()))
    elif is_recorded(tree):
        yield tree


def _view(
    function: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    source: Any,
    which: int | None,
) -> Callable[[Array], Array]:
    """The function as one from the flat indices of its source to those of the view."""

    def view(ids: Array) -> Array:
        given = [ids if item is source else plain(item) for item in args]
        result = function(*given, **plain(kwargs))
        return np.asarray(result if which is None else result[which])

    return view


def _written(
    recorder: Recorder, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> None:
    target, *others = args
    if not is_recorded(target):
        raise recorder.decline(
            f"{function.__name__} writes parameters into an array made outside of the cost: make it inside, by "
            "np.zeros"
        )
    target.assign(apply(recorder, Written(function), (target, *others), kwargs))


def _into(recorder: Recorder, outs: tuple[Any, ...], result: Any) -> Any:
    """Write results to the arrays that were given as out=."""
    results = result if isinstance(result, tuple) else (result,)
    for out, found in zip(outs, results, strict=True):
        if out is None:
            continue
        constant = not is_recorded(found) or found.is_constant()
        if not is_recorded(out) and not constant:
            raise recorder.decline(
                "parameters are written into an array made outside of the cost (out=, or an operator such as "
                "+=): make it inside, by np.zeros, or write x = x + y"
            )
        if is_recorded(out):
            found = np.broadcast_to(found, out.shape) if found.shape != out.shape else found
            out.assign(found if found.dtype == out.dtype else apply(recorder, cast, (found, out.dtype), {}))
        else:
            out[...] = plain(found)
    return outs[0] if len(outs) == 1 else outs


def _array_of_list(value: Any) -> Any:
    """A list of numbers, recorded or not, as an array: rules know the axes of an array only."""
    return stacked(value) if isinstance(value, tuple | list) else value


@lru_cache(maxsize=256)
def _signature(function: Callable[..., Any]) -> inspect.Signature | None:
    try:
        return inspect.signature(function)
    except (TypeError, ValueError):
        return None


def _by_name(
    function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The first argument by place and all others by name, where NumPy tells their names."""
    signature = _signature(function)
    if signature is None or any(p.kind is p.VAR_POSITIONAL for p in signature.parameters.values()):
        return args, kwargs
    bound = dict(signature.bind(*args, **kwargs).arguments)
    first = next(iter(signature.parameters))
    return (bound.pop(first),), {
        k: v for k, v in bound.items() if v is not np._NoValue
    } if first in bound else bound


def _referenced(recorder: Recorder, tree: Any) -> Any:
    """Arguments with references in place of recorded arrays, and copies of small constants."""
    if is_recorded(tree):
        if tree.recorder is recorder:
            return tree.reference()
        if tree.recorder.closed:  # left from an earlier call of the cost: a constant
            return np.array(tree.array)
        raise recorder.decline("one recorded cost is called inside another one")
    if isinstance(tree, tuple | list):
        items = (_referenced(recorder, item) for item in tree)
        return list(items) if isinstance(tree, list) else tuple(items)
    if type(tree) is dict:
        return {key: _referenced(recorder, item) for key, item in tree.items()}
    if isinstance(tree, np.ndarray) and tree.nbytes <= COPIED:
        return np.array(tree)
    return without_methods(tree)


def plain(tree: Any) -> Any:
    """Arguments with arrays in place of recorded ones."""
    if is_recorded(tree):
        return tree.settled()
    if type(tree) in (tuple, list):
        return type(tree)(plain(item) for item in tree)
    return {k: plain(v) for k, v in tree.items()} if type(tree) is dict else tree
