"""What happens when a function of NumPy is called with recorded arrays.

`Recorded` hands every call on to `call_ufunc` and `call_function`. Most are appended to the tape as they are;
some are written as other functions first (`composed`), so that few rules are needed to evaluate a tape.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fastgrad.engines.traced.composed import COMPOSED
from fastgrad.engines.traced.functions import apply, is_recorded, plain, stacked
from fastgrad.engines.traced.kinds import ELEMENTWISE
from fastgrad.engines.traced.primitives import Written, cast
from fastgrad.engines.traced.signatures import signature_of
from fastgrad.engines.traced.tape import Method
from fastgrad.engines.traced.writer import Recorder

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
            f"np.{function.__name__} calls a function of the cost, which a tape cannot hold: write a loop"
        )
    if function in ELEMENTWISE:
        args = tuple(map(_array_of_list, args))
    result = apply(recorder, function, args, kwargs)
    return bool(result) if function in PYTHON_BOOL else result


def _written(
    recorder: Recorder, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> None:
    target, *others = args
    if not is_recorded(target):
        raise recorder.decline(
            f"{function.__name__} writes parameters into an array made outside of the cost: make it inside, "
            "by np.zeros"
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


def _by_name(
    function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The first argument by place and all others by name, where NumPy tells their names."""
    signature = signature_of(function)
    if signature is None or any(p.kind is p.VAR_POSITIONAL for p in signature.parameters.values()):
        return args, kwargs
    bound = dict(signature.bind(*args, **kwargs).arguments)
    first = next(iter(signature.parameters))
    return (bound.pop(first),), {
        k: v for k, v in bound.items() if v is not np._NoValue
    } if first in bound else bound
