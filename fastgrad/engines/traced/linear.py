"""Products and norms, written as products of matrices and sums, which have rules."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastgrad.engines.traced.products import as_matrix_product
from fastgrad.engines.traced.reductions import as_array, as_it_is


def outer(a: Any, b: Any) -> Any:
    """np.outer as a product of a column and a row."""
    return np.multiply(np.ravel(as_array(a))[:, None], np.ravel(as_array(b))[None, :])


def inner(a: Any, b: Any) -> Any:
    """np.inner as a product of matrices."""
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return np.multiply(a, b)
    if np.ndim(a) == np.ndim(b) == 1:
        return np.dot(a, b)
    return np.tensordot(a, b, axes=(-1, -1))


def vdot(a: Any, b: Any) -> Any:
    """np.vdot as np.dot."""
    return np.dot(np.conjugate(np.ravel(a)) if np.iscomplexobj(a) else np.ravel(a), np.ravel(b))


def _axes_of(axes: Any, na: int, nb: int) -> tuple[list[int], list[int]]:
    if isinstance(axes, int | np.integer):
        return list(range(na - int(axes), na)), list(range(int(axes)))
    left, right = ([int(k) for k in np.atleast_1d(x)] for x in axes)
    return [k % na for k in left], [k % nb for k in right]


def tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    """np.tensordot as one product of two matrices, with reshapes around it."""
    a, b = as_array(a), as_array(b)
    sa, sb = np.shape(a), np.shape(b)
    left, right = _axes_of(axes, len(sa), len(sb))
    free_a = [k for k in range(len(sa)) if k not in left]
    free_b = [k for k in range(len(sb)) if k not in right]
    inner = int(np.prod([sa[k] for k in left], initial=1))
    rows, columns = ([s[k] for k in free] for s, free in ((sa, free_a), (sb, free_b)))
    at = np.reshape(np.transpose(a, [*free_a, *left]), (int(np.prod(rows, initial=1)), inner))
    bt = np.reshape(np.transpose(b, [*right, *free_b]), (inner, int(np.prod(columns, initial=1))))
    return np.reshape(np.dot(at, bt), rows + columns)


def dot(a: Any, b: Any) -> Any:
    """np.dot as a product of matrices; with numbers and more axes as NumPy says."""
    a, b = as_array(a), as_array(b)
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return np.multiply(a, b)
    if np.ndim(b) > 2:
        return np.tensordot(a, b, axes=(-1, -2))
    return as_matrix_product(a, b, np.dot)


def kron(a: Any, b: Any) -> Any:
    """np.kron as a product of reshaped arrays."""
    a, b = as_array(a), as_array(b)
    ndim = max(np.ndim(a), np.ndim(b))
    sa, sb = ((1,) * (ndim - np.ndim(x)) + np.shape(x) for x in (a, b))
    left = np.reshape(a, [n for size in sa for n in (size, 1)])
    right = np.reshape(b, [n for size in sb for n in (1, size)])
    return np.reshape(np.multiply(left, right), [n * m for n, m in zip(sa, sb, strict=True)])


def vecdot(x1: Any, x2: Any, axis: int = -1) -> Any:
    """np.vecdot as a sum of products."""
    a, b = np.moveaxis(as_array(x1), axis, -1), np.moveaxis(as_array(x2), axis, -1)
    return np.sum(np.multiply(np.conjugate(a) if np.iscomplexobj(a) else a, b), axis=-1)


def matvec(x1: Any, x2: Any) -> Any:
    """np.matvec as a product of matrices."""
    return np.matmul(x1, np.expand_dims(x2, -1))[..., 0]


def vecmat(x1: Any, x2: Any) -> Any:
    """np.vecmat as a product of matrices."""
    row = np.conjugate(x1) if np.iscomplexobj(x1) else x1
    return np.matmul(np.expand_dims(row, -2), x2)[..., 0, :]


def trace(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None) -> Any:
    """np.trace as a sum over the diagonal."""
    return np.sum(np.diagonal(a, offset, axis1, axis2), axis=-1, dtype=dtype)


def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: Any = False) -> Any:
    """np.linalg.norm as roots and sums, where it is one of the common ones."""
    if x.dtype.kind == "f" and axis is None and (ord is None or (ord == 2 and x.ndim == 1)) and not keepdims:
        flat = np.ravel(x, order="K")
        return np.sqrt(np.dot(flat, flat))
    if x.dtype.kind == "f" and isinstance(axis, int | np.integer):
        axis = int(axis)
        if ord is None or ord == 2:
            return np.sqrt(np.add.reduce(np.multiply(x, x), axis=axis, keepdims=keepdims))
        if ord == 1:
            return np.add.reduce(np.abs(x), axis=axis, keepdims=keepdims)
        if ord == np.inf:
            return np.max(np.abs(x), axis=axis, keepdims=keepdims)
    return as_it_is(np.linalg.norm, x, ord=ord, axis=axis, keepdims=keepdims)
