"""What happens when a function of NumPy is called with recorded arrays.

`Recorded` hands every call on to `call_ufunc` and `call_function`. Most are appended to the tape as they are;
some are written as other functions first (`compositions`), so that few rules are needed to evaluate a tape.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from fastgrad.engines.traced.tape import Array, Method, Ref

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

DECLINED = {
    np.unique: "how many values it gives depends on the parameters",
    np.save: "it writes a file", np.savez: "it writes a file", np.savetxt: "it writes a file",
    np.array2string: "it makes text", np.array_repr: "it makes text", np.array_str: "it makes text",
}  # fmt: skip


@dataclass(frozen=True)
class Written:
    """A function that writes to its first argument, as one that gives what was written."""

    function: Callable[..., Any]

    @property
    def __name__(self) -> str:
        return f"{self.function.__name__} on a copy"

    def __call__(self, array: Array, *args: Any, **kwargs: Any) -> Array:
        """A copy of an array with what the function writes to it."""
        copy = np.array(array)
        self.function(copy, *args, **kwargs)
        return copy


WRITING = {np.put_along_axis, np.put, np.place, np.putmask, np.fill_diagonal, np.copyto}
"""Functions that write to their first argument."""


def take_flat(array: Array, ids: Array) -> Array:
    """The entries of an array with some flat indices."""
    return np.asarray(array).reshape(-1)[ids]


def put_flat(array: Array, ids: Array, value: Array) -> Array:
    """A copy of an array with other values at some flat indices."""
    copy = np.array(array).reshape(-1)
    copy[np.reshape(ids, -1)] = np.reshape(value, -1)
    return copy.reshape(np.shape(array))


def assigned(array: Array, index: Any, value: Any) -> Array:
    """A copy of an array in which something was assigned."""
    copy = np.array(array)
    copy[index] = value
    return copy


def cast(array: Array, dtype: Any) -> Array:
    """The array in another dtype."""
    return np.asarray(array).astype(dtype)


def settled_index(index: Any) -> Any:
    """An index without recorded arrays: their numbers become guards."""
    from fastgrad.engines.traced.recorded_array import Recorded

    if isinstance(index, tuple):
        return tuple(settled_index(part) for part in index)
    if isinstance(index, list) and any(isinstance(part, Recorded) for part in index):
        return [settled_index(part) for part in index]
    if isinstance(index, Recorded):
        array = index._guarded()
        return operator.index(array[()]) if array.ndim == 0 and array.dtype.kind in "iu" else np.array(array)
    if isinstance(index, slice):
        parts = (index.start, index.stop, index.step)
        return slice(*(operator.index(p) if isinstance(p, Recorded) else p for p in parts))
    return np.array(index) if isinstance(index, np.ndarray) else index


def apply(
    recorder: Recorder, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """Compute a function of recorded arrays and append it to the tape; gives recorded arrays."""
    from fastgrad.engines.traced.recorded_array import Recorded

    if recorder.closed:
        return function(*_plain(args), **_plain(kwargs))
    given, named = _referenced(args), _referenced(kwargs)
    result, outputs, several = recorder.append(function, given, named)
    numbers = outputs or (None,) * (len(result) if several else 1)
    sources = [item for item in args if isinstance(item, Recorded)]

    def wrapped(value: Any, number: int | None, which: int | None) -> Any:
        if isinstance(value, bool | int) and which is not None:
            return value
        array = np.asarray(value)
        source = next((s for s in sources if np.may_share_memory(array, s.array)), None)
        if source is None or source.size == 0:
            return Recorded(recorder, array, number)
        return Recorded(recorder, array, number, (source, _view(function, args, kwargs, source, which)))

    if not several:
        return wrapped(result, numbers[0], None)
    items = [wrapped(value, number, k) for k, (value, number) in enumerate(zip(result, numbers, strict=True))]
    return type(result)(*items) if hasattr(result, "_fields") else type(result)(items)


def call_ufunc(
    recorder: Recorder, ufunc: np.ufunc, method: str, inputs: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """What a ufunc gives of recorded arrays; with out= they are written to."""
    from fastgrad.engines.traced.products import as_matrix_product

    if recorder.closed:
        return getattr(ufunc, method)(*_plain(inputs), **_plain(kwargs))
    outs, kwargs = kwargs.get("out"), {k: v for k, v in kwargs.items() if k != "out"}
    if method == "at":
        return _written(recorder, Method(ufunc, "at"), inputs, kwargs)
    where = kwargs.pop("where", True) if method == "__call__" else True
    if ufunc is np.matmul and method == "__call__" and not kwargs:
        result = as_matrix_product(*inputs, np.matmul)
    elif method == "__call__":
        result = apply(recorder, ufunc, inputs, kwargs)
    elif method == "outer":
        result = _outer(ufunc, *inputs, **kwargs)
    else:
        if not _is_recorded(inputs[0]):
            raise recorder.decline(f"{ufunc.__name__}.{method} of these arrays cannot be recorded")
        result = apply(recorder, Method(ufunc, method), inputs, kwargs)
    if where is not True:
        if outs is None:
            raise recorder.decline("where= without out= leaves entries undefined: say np.where")
        result = np.where(where, result, outs[0])
    return result if outs is None else _into(recorder, outs, result)


def call_function(
    recorder: Recorder, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """What a function of NumPy gives of recorded arrays."""
    from fastgrad.engines.traced.compositions import COMPOSED

    if recorder.closed or function in METADATA:
        return function(*_plain(args), **_plain(kwargs))
    if function in DECLINED:
        raise recorder.decline(f"np.{function.__name__} cannot be recorded: {DECLINED[function]}")
    if function in WRITING:
        return _written(recorder, function, args, kwargs)
    if function in POSITIONS or (function is np.where and len(args) == 1):
        return function((args[0] != 0)._guarded())
    outs = kwargs.get("out")
    if outs is not None:
        kwargs = {k: v for k, v in kwargs.items() if k != "out"}
    composed = COMPOSED.get(function)
    if composed is not None:
        result = composed(*args, **kwargs)
    else:
        result = apply(recorder, function, tuple(map(_stacked_if_list, args)), kwargs)
        if _returns_python_bool(function):
            return bool(result)
    return result if outs is None else _into(recorder, outs if isinstance(outs, tuple) else (outs,), result)


def stacked(tree: Any) -> Any:
    """A nested list that holds recorded arrays as one recorded array."""
    if isinstance(tree, tuple | list):
        return np.stack([stacked(item) for item in tree])
    return tree if _is_recorded(tree) else np.asarray(tree)


def holds_recorded(tree: Any) -> bool:
    """Whether a nested list holds a recorded array."""
    if isinstance(tree, tuple | list):
        return any(holds_recorded(item) for item in tree)
    return _is_recorded(tree)


def _view(
    function: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    source: Any,
    which: int | None,
) -> Callable[[Array], Array]:
    """The function as one from the flat indices of its source to those of the view."""

    def view(ids: Array) -> Array:
        given = [ids if item is source else item for item in args]
        result = function(*given, **kwargs)
        return np.asarray(result if which is None else result[which])

    return view


def _written(
    recorder: Recorder, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> None:
    target, *others = args
    if not _is_recorded(target):
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
        if not _is_recorded(out):
            raise recorder.decline(
                "parameters are written into an array made outside of the cost (out=, or an operator such as "
                "+=): make it inside, by np.zeros, or write x = x + y"
            )
        if found.shape != out.shape:
            found = np.broadcast_to(found, out.shape)
        out.assign(found if found.dtype == out.dtype else apply(recorder, cast, (found, out.dtype), {}))
    return outs[0] if len(outs) == 1 else outs


def _outer(ufunc: np.ufunc, a: Any, b: Any, **kwargs: Any) -> Any:
    a, b = (x if _is_recorded(x) else np.asarray(x) for x in (a, b))
    return ufunc(np.reshape(a, a.shape + (1,) * b.ndim), b, **kwargs)


def _is_recorded(value: Any) -> bool:
    from fastgrad.engines.traced.recorded_array import Recorded

    return isinstance(value, Recorded)


def _stacked_if_list(value: Any) -> Any:
    """A list of lists that hold recorded numbers, as one array; a list of arrays stays one."""
    nested = isinstance(value, list) and any(isinstance(v, list) and holds_recorded(v) for v in value)
    return stacked(value) if nested else value


def _returns_python_bool(function: Callable[..., Any]) -> bool:
    return function in (np.allclose, np.array_equal, np.array_equiv)


def _referenced(tree: Any) -> Any:
    """Arguments with references in place of recorded arrays, and copies of small constants."""
    if _is_recorded(tree):
        return tree.reference()
    if type(tree) in (tuple, list):
        return type(tree)(_referenced(item) for item in tree)
    if type(tree) is dict:
        return {key: _referenced(item) for key, item in tree.items()}
    if isinstance(tree, np.ndarray) and tree.nbytes <= COPIED:
        return np.array(tree)
    return tree


def _plain(tree: Any) -> Any:
    """Arguments with arrays in place of recorded ones."""
    if _is_recorded(tree):
        return tree.array
    if type(tree) in (tuple, list):
        return type(tree)(_plain(item) for item in tree)
    return {k: _plain(v) for k, v in tree.items()} if type(tree) is dict else tree


def _numpy(name: str) -> Callable[..., Any]:
    return lambda self, *args, **kwargs: getattr(np, name)(self, *args, **kwargs)


def _reshaped(self: Any, *shape: Any, **kwargs: Any) -> Any:
    return np.reshape(self, shape[0] if len(shape) == 1 else shape, **kwargs)


def _transposed(self: Any, *axes: Any) -> Any:
    if not axes or axes == (None,):
        return np.transpose(self)
    return np.transpose(self, axes[0] if len(axes) == 1 and not np.isscalar(axes[0]) else axes)


def _astype(self: Any, dtype: Any, *args: Any, **kwargs: Any) -> Any:
    del args
    if kwargs.get("copy", True) is False and np.dtype(dtype) == self.dtype:
        return self
    return apply(self.recorder, cast, (self, np.dtype(dtype)), {})


def _in_place(function: Callable[..., Any]) -> Callable[..., Any]:
    def method(self: Any, *args: Any, **kwargs: Any) -> None:
        self.assign(function(self, *args, **kwargs))

    return method


METHODS: dict[str, Callable[..., Any]] = {
    name: _numpy(name)
    for name in (
        "sum", "prod", "mean", "var", "std", "min", "max", "any", "all", "argmin", "argmax", "argsort",
        "cumsum", "cumprod", "clip", "round", "dot", "trace", "diagonal", "take", "repeat", "ravel", "squeeze",
        "swapaxes", "searchsorted", "nonzero", "compress", "choose", "conj", "conjugate", "argpartition",
    )
}  # fmt: skip
METHODS |= {
    "reshape": _reshaped,
    "transpose": _transposed,
    "astype": _astype,
    "flatten": lambda self, *order: np.copy(np.ravel(self, *order)),
    "copy": lambda self, *order: np.copy(self, *order),
    "ptp": _numpy("ptp"),
    "fill": lambda self, value: self.__setitem__(Ellipsis, value),
    "sort": _in_place(np.sort),
    "partition": _in_place(np.partition),
    "put": partial(np.put),
}
"""The methods of an array, as functions of it."""


def reference_or_constant(value: Any) -> Ref | Array:
    """What stands for a value in an operation."""
    return value.reference() if _is_recorded(value) else np.asarray(value)
