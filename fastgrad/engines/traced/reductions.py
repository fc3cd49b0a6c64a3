"""Sums, means, variances, differences: functions along axes, written as few operations with rules.

Each computes what NumPy's own function computes, in the same order.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np


def reduction(ufunc: np.ufunc) -> Callable[..., Any]:
    """A function of NumPy as the reduce of a ufunc, without the arguments that say nothing."""

    def reduced(a: Any, axis: Any = None, dtype: Any = None, **kwargs: Any) -> Any:
        kwargs = {k: v for k, v in kwargs.items() if v is not np._NoValue and v is not None}
        if kwargs.get("keepdims") is False:
            del kwargs["keepdims"]
        if dtype is not None:
            kwargs["dtype"] = dtype
        return ufunc.reduce(as_array(a), axis=axis, **kwargs)

    return reduced


def accumulation(ufunc: np.ufunc) -> Callable[..., Any]:
    """A function of NumPy as the accumulate of a ufunc."""

    def accumulated(a: Any, axis: Any = None, dtype: Any = None) -> Any:
        return ufunc.accumulate(np.ravel(a) if axis is None else a, axis=axis or 0, dtype=dtype)

    return accumulated


def as_array(a: Any) -> Any:
    """A list that may hold recorded numbers as an array; anything else as it is."""
    from fastgrad.engines.traced.functions import stacked

    return stacked(a) if isinstance(a, tuple | list) else a


def as_it_is(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """One operation of the tape, evaluated one point at a time."""
    from fastgrad.engines.traced.functions import apply, recorder_among

    return apply(recorder_among(args, kwargs), function, args, kwargs)


def _count(a: Any, axis: Any) -> int:
    if axis is None:
        return int(a.size)
    return int(np.prod([a.shape[k] for k in (axis if isinstance(axis, tuple) else (axis,))]))


def _kept(keepdims: Any) -> dict[str, Any]:
    return {"keepdims": True} if keepdims else {}


def mean(a: Any, axis: Any = None, dtype: Any = None, keepdims: Any = False, where: Any = True) -> Any:
    """np.mean as a sum and a division."""
    a = as_array(a)
    if where is not True or dtype is not None or a.dtype == np.float16:
        return as_it_is(np.mean, a, axis=axis, dtype=dtype, keepdims=bool(keepdims), where=where)
    dtype = np.float64 if a.dtype.kind in "iub" else None
    return np.true_divide(np.sum(a, axis=axis, dtype=dtype, **_kept(keepdims)), _count(a, axis))


def var(a: Any, axis: Any = None, ddof: float = 0, keepdims: Any = False, **others: Any) -> Any:
    """np.var as means of squares."""
    a = as_array(a)
    if "correction" in others:
        ddof = others.pop("correction")
    if others or a.dtype == np.float16:
        return as_it_is(np.var, a, axis=axis, ddof=ddof, keepdims=bool(keepdims), **others)
    x = a - np.mean(a, axis=axis, keepdims=True)
    squares = np.multiply(x, x) if a.dtype.kind != "c" else np.real(x) * np.real(x) + np.imag(x) * np.imag(x)
    return np.true_divide(np.sum(squares, axis=axis, **_kept(keepdims)), max(_count(a, axis) - ddof, 0))


def std(a: Any, *args: Any, **kwargs: Any) -> Any:
    """np.std as the root of np.var."""
    return np.sqrt(np.var(as_array(a), *args, **kwargs))


def ptp(a: Any, axis: Any = None, keepdims: Any = np._NoValue) -> Any:
    """np.ptp as the largest less the smallest."""
    keep = {} if keepdims is np._NoValue else {"keepdims": keepdims}
    return np.subtract(np.max(a, axis=axis, **keep), np.min(a, axis=axis, **keep))


def average(a: Any, axis: Any = None, weights: Any = None, **kwargs: Any) -> Any:
    """np.average: np.mean where there are no weights."""
    a = as_array(a)
    if weights is None and not kwargs:
        return np.mean(a, axis=axis)
    return as_it_is(np.average, a, axis=axis, weights=weights, **kwargs)


def diff(a: Any, n: int = 1, axis: int = -1, **ends: Any) -> Any:
    """np.diff as differences of slices."""
    a = as_array(a)
    if ends:
        shape = [1 if k == axis % a.ndim else size for k, size in enumerate(a.shape)]
        parts = [ends.get("prepend"), a, ends.get("append")]
        parts = [np.broadcast_to(p, shape) if np.ndim(p) == 0 else p for p in parts if p is not None]
        a = np.concatenate(parts, axis=axis)
    for _ in range(n):
        later, earlier = [slice(None)] * a.ndim, [slice(None)] * a.ndim
        later[axis], earlier[axis] = slice(1, None), slice(None, -1)
        difference = np.not_equal if a.dtype == bool else np.subtract
        a = difference(a[tuple(later)], a[tuple(earlier)])
    return a


def cumulative(name: str, plain: Callable[..., Any]) -> Callable[..., Any]:
    """np.cumulative_sum and its kin as np.cumsum and its kin."""

    def cumulated(x: Any, axis: Any = None, dtype: Any = None, include_initial: bool = False) -> Any:
        if include_initial:
            return as_it_is(getattr(np, name), x, axis=axis, dtype=dtype, include_initial=True)
        return plain(x, axis=axis, dtype=dtype)

    return cumulated
