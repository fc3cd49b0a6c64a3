"""Functions of NumPy written as others, so that a tape consists of few kinds of operations.

Each computes what NumPy's own function computes, in the same order where that is known. `functions` looks
them up in COMPOSED.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fastgrad.engines.traced.products import as_matrix_product


def _reduction(ufunc: np.ufunc) -> Callable[..., Any]:
    def reduced(a: Any, axis: Any = None, dtype: Any = None, **kwargs: Any) -> Any:
        kwargs = {k: v for k, v in kwargs.items() if v is not np._NoValue and v is not None}
        if kwargs.get("keepdims") is False:
            del kwargs["keepdims"]
        if dtype is not None:
            kwargs["dtype"] = dtype
        return ufunc.reduce(_array(a), axis=axis, **kwargs)

    return reduced


def _accumulation(ufunc: np.ufunc) -> Callable[..., Any]:
    def accumulated(a: Any, axis: Any = None, dtype: Any = None) -> Any:
        return ufunc.accumulate(np.ravel(a) if axis is None else a, axis=axis or 0, dtype=dtype)

    return accumulated


def _array(a: Any) -> Any:
    from fastgrad.engines.traced.functions import stacked

    return stacked(a) if isinstance(a, tuple | list) else a


def _as_it_is(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """One operation of the tape, evaluated one point at a time."""
    from fastgrad.engines.traced.functions import apply, recorder_among

    return apply(recorder_among(args, kwargs), function, args, kwargs)


def _count(a: Any, axis: Any) -> int:
    if axis is None:
        return int(a.size)
    return int(np.prod([a.shape[k] for k in (axis if isinstance(axis, tuple) else (axis,))]))


def _kept(keepdims: Any) -> dict[str, bool]:
    return {"keepdims": True} if keepdims else {}


def _mean(a: Any, axis: Any = None, dtype: Any = None, keepdims: Any = False, where: Any = True) -> Any:
    a = _array(a)
    if where is not True or dtype is not None or a.dtype == np.float16:
        return _as_it_is(np.mean, a, axis=axis, dtype=dtype, keepdims=bool(keepdims), where=where)
    dtype = np.float64 if a.dtype.kind in "iub" else None
    return np.true_divide(np.sum(a, axis=axis, dtype=dtype, **_kept(keepdims)), _count(a, axis))


def _var(a: Any, axis: Any = None, ddof: float = 0, keepdims: Any = False, **others: Any) -> Any:
    a = _array(a)
    if "correction" in others:
        ddof = others.pop("correction")
    if others or a.dtype == np.float16:
        return _as_it_is(np.var, a, axis=axis, ddof=ddof, keepdims=bool(keepdims), **others)
    x = a - np.mean(a, axis=axis, keepdims=True)
    squares = np.multiply(x, x) if a.dtype.kind != "c" else np.real(np.multiply(x, np.conjugate(x)))
    return np.true_divide(np.sum(squares, axis=axis, **_kept(keepdims)), max(_count(a, axis) - ddof, 0))


def _std(a: Any, *args: Any, **kwargs: Any) -> Any:
    return np.sqrt(np.var(_array(a), *args, **kwargs))


def _outer(a: Any, b: Any) -> Any:
    return np.multiply(np.ravel(a)[:, None], np.ravel(b)[None, :])


def _inner(a: Any, b: Any) -> Any:
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return np.multiply(a, b)
    if np.ndim(a) == np.ndim(b) == 1:
        return np.dot(a, b)
    return np.tensordot(a, b, axes=(-1, -1))


def _vdot(a: Any, b: Any) -> Any:
    return np.dot(np.conjugate(np.ravel(a)) if np.iscomplexobj(a) else np.ravel(a), np.ravel(b))


def _axes_of(axes: Any, na: int, nb: int) -> tuple[list[int], list[int]]:
    if isinstance(axes, int | np.integer):
        return list(range(na - int(axes), na)), list(range(int(axes)))
    left, right = ([x] if isinstance(x, int | np.integer) else list(x) for x in axes)
    return [k % na for k in left], [k % nb for k in right]


def _tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    a, b = _array(a), _array(b)
    sa, sb = np.shape(a), np.shape(b)
    left, right = _axes_of(axes, len(sa), len(sb))
    free_a = [k for k in range(len(sa)) if k not in left]
    free_b = [k for k in range(len(sb)) if k not in right]
    inner = int(np.prod([sa[k] for k in left], initial=1))
    rows, columns = ([s[k] for k in free] for s, free in ((sa, free_a), (sb, free_b)))
    at = np.reshape(np.transpose(a, [*free_a, *left]), (int(np.prod(rows, initial=1)), inner))
    bt = np.reshape(np.transpose(b, [*right, *free_b]), (inner, int(np.prod(columns, initial=1))))
    return np.reshape(np.dot(at, bt), rows + columns)


def _trace(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None) -> Any:
    return np.sum(np.diagonal(a, offset, axis1, axis2), axis=-1, dtype=dtype)


def _ptp(a: Any, axis: Any = None, keepdims: Any = np._NoValue) -> Any:
    keep = {} if keepdims is np._NoValue else {"keepdims": keepdims}
    return np.subtract(np.max(a, axis=axis, **keep), np.min(a, axis=axis, **keep))


def _average(a: Any, axis: Any = None, weights: Any = None, **kwargs: Any) -> Any:
    a = _array(a)
    if weights is None and not kwargs:
        return np.mean(a, axis=axis)
    return _as_it_is(np.average, a, axis=axis, weights=weights, **kwargs)


def _norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    if x.dtype.kind == "f" and axis is None and (ord is None or (ord == 2 and x.ndim == 1)) and not keepdims:
        flat = np.ravel(x, order="K")
        return np.sqrt(np.dot(flat, flat))
    if x.dtype.kind == "f" and isinstance(axis, int | np.integer):
        if ord is None or ord == 2:
            return np.sqrt(np.add.reduce(np.multiply(x, x), axis=axis, keepdims=keepdims))
        if ord == 1:
            return np.add.reduce(np.abs(x), axis=axis, keepdims=keepdims)
        if ord == np.inf:
            return np.max(np.abs(x), axis=axis, keepdims=keepdims)
    return _as_it_is(np.linalg.norm, x, ord=ord, axis=axis, keepdims=keepdims)


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


def _dot(a: Any, b: Any) -> Any:
    a, b = _array(a), _array(b)
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return np.multiply(a, b)
    if np.ndim(b) > 2:
        return np.tensordot(a, b, axes=(-1, -2))
    return as_matrix_product(a, b, np.dot)


def _einsum(*operands: Any, **kwargs: Any) -> Any:
    from fastgrad.engines.traced.products import einsum

    return einsum(*operands, **kwargs)


def _like(make: Callable[..., Any]) -> Callable[..., Any]:
    def made(a: Any, *args: Any, **kwargs: Any) -> Any:
        from fastgrad.engines.traced.recorded_array import Recorded

        return Recorded(a.recorder, make(a.array, *args, **kwargs), None)

    return made


def _full_like(a: Any, fill_value: Any, dtype: Any = None, **kwargs: Any) -> Any:
    made = np.zeros_like(a, dtype=dtype, **kwargs)
    made[...] = fill_value
    return made


def _diff(a: Any, n: int = 1, axis: int = -1, **ends: Any) -> Any:
    a = _array(a)
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


def _select(condlist: Any, choicelist: Any, default: Any = 0) -> Any:
    dtype = np.result_type(*(c.dtype if hasattr(c, "dtype") else c for c in [*choicelist, default]))
    chosen = default
    for condition, choice in zip(condlist[::-1], choicelist[::-1], strict=True):
        chosen = np.where(condition, choice, chosen)
    return chosen if chosen.dtype == dtype else chosen.astype(dtype)


def _piecewise(x: Any, condlist: Any, funclist: Any, *args: Any, **kw: Any) -> Any:
    conditions = [condlist] if np.ndim(condlist[0]) == 0 and x.ndim else list(condlist)
    if len(funclist) == len(conditions) + 1:
        conditions.append(np.logical_not(np.logical_or.reduce(np.stack(conditions), axis=0)))
    y = np.zeros_like(x)
    for condition, function in zip(conditions, funclist, strict=True):
        y[condition] = function(x[condition], *args, **kw) if callable(function) else function
    return y


def _apply_along_axis(func1d: Any, axis: int, arr: Any, *args: Any, **kwargs: Any) -> Any:
    last = np.moveaxis(arr, axis, -1)
    rows = last.shape[:-1]
    results = [func1d(last[index], *args, **kwargs) for index in np.ndindex(*rows)]
    found = np.stack(results)
    found = np.reshape(found, rows + found.shape[1:])
    inner = found.ndim - len(rows)  # the axes of a result stand where the axis was
    axis = axis % arr.ndim
    order = [*range(axis), *range(len(rows), len(rows) + inner), *range(axis, len(rows))]
    return np.transpose(found, order)


COMPOSED: dict[Any, Callable[..., Any]] = {
    np.sum: _reduction(np.add), np.prod: _reduction(np.multiply),
    np.max: _reduction(np.maximum), np.min: _reduction(np.minimum),
    np.amax: _reduction(np.maximum), np.amin: _reduction(np.minimum),
    np.select: _select, np.piecewise: _piecewise, np.apply_along_axis: _apply_along_axis,
    np.any: _reduction(np.logical_or), np.all: _reduction(np.logical_and),
    np.cumsum: _accumulation(np.add), np.cumprod: _accumulation(np.multiply),
    np.mean: _mean, np.var: _var, np.std: _std, np.outer: _outer, np.inner: _inner, np.vdot: _vdot,
    np.tensordot: _tensordot, np.trace: _trace, np.ptp: _ptp, np.average: _average,
    np.linalg.norm: _norm, np.dot: _dot, np.einsum: _einsum, np.diff: _diff,
    np.zeros_like: _like(np.zeros_like), np.ones_like: _like(np.ones_like),
    np.empty_like: _like(np.zeros_like), np.full_like: _full_like,
}  # fmt: skip
"""The function that stands for each function of NumPy."""

