"""Other functions of NumPy written as few operations: powers, choices, filled arrays, functions of the cost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fastgrad.engines.traced.reductions import as_it_is


def power(x: Any, exponent: Any) -> Any:
    """x ** exponent; a small integer power by products, which take a twentieth of the time of np.power.

    It may differ from NumPy's by an ulp. Comparisons with the plain cost allow for that.
    """
    from fastgrad.engines.traced.functions import apply

    if hasattr(x, "recorder") and x.dtype.kind == "f" and type(exponent) in (int, float):
        if exponent == 2:
            return np.square(x)
        if exponent == 3:
            return np.multiply(np.square(x), x)
        if exponent == 4:
            return np.square(np.square(x))
    recorder = x.recorder if hasattr(x, "recorder") else exponent.recorder
    return apply(recorder, np.power, (x, exponent), {})


def transform(function: Callable[..., Any]) -> Callable[..., Any]:
    """A transform of several axes, which are named: the axes of points come in front of them."""

    def transformed(a: Any, s: Any = None, axes: Any = None, norm: Any = None) -> Any:
        if axes is None:
            axes = tuple(range(-(a.ndim if s is None else len(s)), 0))
        return as_it_is(function, a, s=s, axes=axes, norm=norm)

    return transformed


def astype(x: Any, dtype: Any, copy: bool = True, device: Any = None) -> Any:
    """np.astype as the method of the array."""
    del device
    return x.astype(dtype, copy=copy)


def like(make: Callable[..., Any]) -> Callable[..., Any]:
    """np.zeros_like and its kin: an array of the cost, into which it may write."""

    def made(a: Any, *args: Any, **kwargs: Any) -> Any:
        from fastgrad.engines.traced.recorded_array import Recorded

        return Recorded(a.recorder, make(a.array, *args, **kwargs), None)

    return made


def full_like(a: Any, fill_value: Any, dtype: Any = None, **kwargs: Any) -> Any:
    """np.full_like as an assignment."""
    made = np.zeros_like(a, dtype=dtype, **kwargs)
    made[...] = fill_value
    return made


def select(condlist: Any, choicelist: Any, default: Any = 0) -> Any:
    """np.select as one np.where in another."""
    dtype = np.result_type(*(c.dtype if hasattr(c, "dtype") else c for c in [*choicelist, default]))
    chosen = default
    for condition, choice in zip(condlist[::-1], choicelist[::-1], strict=True):
        chosen = np.where(condition, choice, chosen)
    return chosen if chosen.dtype == dtype else chosen.astype(dtype)


def piecewise(x: Any, condlist: Any, funclist: Any, *args: Any, **kw: Any) -> Any:
    """np.piecewise as assignments by masks, which are guards."""
    conditions = [condlist] if np.ndim(condlist[0]) == 0 and x.ndim else list(condlist)
    if len(funclist) == len(conditions) + 1:
        conditions.append(np.logical_not(np.logical_or.reduce(np.stack(conditions), axis=0)))
    y = np.zeros_like(x)
    for condition, function in zip(conditions, funclist, strict=True):
        y[condition] = function(x[condition], *args, **kw) if callable(function) else function
    return y


def apply_along_axis(func1d: Any, axis: int, arr: Any, *args: Any, **kwargs: Any) -> Any:
    """np.apply_along_axis as a loop."""
    last = np.moveaxis(arr, axis, -1)
    rows = last.shape[:-1]
    results = [func1d(last[index], *args, **kwargs) for index in np.ndindex(*rows)]
    found = np.stack(results)
    found = np.reshape(found, rows + found.shape[1:])
    inner = found.ndim - len(rows)  # the axes of a result stand where the axis was
    axis = axis % arr.ndim
    order = [*range(axis), *range(len(rows), len(rows) + inner), *range(axis, len(rows))]
    return np.transpose(found, order)
