"""Functions applied to recorded arrays: the arguments that go to the tape, and the arrays that come back."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from fastgrad.engines.traced.tape import Array
from fastgrad.engines.traced.writer import Recorder

COPIED = 2**16
"""Bytes of a constant up to which the tape keeps a copy: the cost may write to it later."""


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
    make = recorder.array_class
    function, args, kwargs, which = call
    if which is not None and isinstance(value, bool | int):  # such as `lower` of scipy.linalg.cho_factor
        if number is not None:
            recorder.guard(number)
        return value
    array, scalar = np.asarray(value), not isinstance(value, np.ndarray)
    source = next((s for s in _flat_recorded(args) if np.may_share_memory(array, s.array)), None)
    if scalar or source is None or source.size == 0:
        return make(recorder, array, number, scalar=scalar)
    view = _view(function, args, kwargs, source, which) if array.dtype == source.dtype else None
    return make(recorder, array, number, view_of=(source, view))


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
    return getattr(type(value), "IS_RECORDED", False)


def recorder_of(own: Recorder, *trees: Any) -> Recorder:
    """The recorder that is at work: an array may be left from an earlier call of the cost."""
    if not own.closed:
        return own
    return next((found.recorder for found in _flat_recorded(trees) if not found.recorder.closed), own)


def require_plain_arrays(recorder: Recorder, tree: Any) -> None:
    """Decline matrices, masked arrays and the like, which compute in ways of their own."""
    if isinstance(tree, tuple | list):
        for item in tree:
            require_plain_arrays(recorder, item)
    elif issubclass(type(tree), np.ndarray) and type(tree) not in (np.ndarray, np.memmap):
        raise recorder.decline(f"{type(tree).__name__} cannot be recorded: say np.asarray of it")


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
    return tree


def plain(tree: Any) -> Any:
    """Arguments with arrays in place of recorded ones."""
    if is_recorded(tree):
        return tree.settled()
    if type(tree) in (tuple, list):
        return type(tree)(plain(item) for item in tree)
    return {k: plain(v) for k, v in tree.items()} if type(tree) is dict else tree
