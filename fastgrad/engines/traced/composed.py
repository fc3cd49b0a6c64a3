"""Which functions of NumPy are written as others, so that a tape consists of few kinds of operations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fastgrad.engines.traced import compositions, linear, reductions
from fastgrad.engines.traced.products import as_matrix_product, einsum

COMPOSED: dict[Any, Callable[..., Any]] = {
    np.sum: reductions.reduction(np.add),
    np.prod: reductions.reduction(np.multiply),
    np.max: reductions.reduction(np.maximum),
    np.min: reductions.reduction(np.minimum),
    np.amax: reductions.reduction(np.maximum),
    np.amin: reductions.reduction(np.minimum),
    np.kron: linear.kron,
    np.linalg.vecdot: linear.vecdot,
    np.fft.fftn: compositions.transform(np.fft.fftn),
    np.fft.ifftn: compositions.transform(np.fft.ifftn),
    np.fft.rfftn: compositions.transform(np.fft.rfftn),
    np.fft.irfftn: compositions.transform(np.fft.irfftn),
    np.power: compositions.power,
    np.matmul: lambda a, b: as_matrix_product(a, b, np.matmul),
    np.linalg.matmul: lambda x1, x2: np.matmul(x1, x2),
    np.linalg.outer: lambda x1, x2: linear.outer(x1, x2),
    np.linalg.tensordot: lambda x1, x2, axes=2: linear.tensordot(x1, x2, axes),
    np.linalg.trace: lambda x, offset=0, dtype=None: linear.trace(x, offset, -2, -1, dtype),
    np.linalg.diagonal: lambda x, offset=0: np.diagonal(x, offset, -2, -1),
    np.linalg.matrix_transpose: lambda x: np.swapaxes(x, -1, -2),
    np.select: compositions.select,
    np.piecewise: compositions.piecewise,
    np.apply_along_axis: compositions.apply_along_axis,
    np.any: reductions.reduction(np.logical_or),
    np.all: reductions.reduction(np.logical_and),
    np.cumsum: reductions.accumulation(np.add),
    np.cumprod: reductions.accumulation(np.multiply),
    np.mean: reductions.mean,
    np.var: reductions.var,
    np.std: reductions.std,
    np.outer: linear.outer,
    np.inner: linear.inner,
    np.vdot: linear.vdot,
    np.tensordot: linear.tensordot,
    np.trace: linear.trace,
    np.ptp: reductions.ptp,
    np.average: reductions.average,
    np.linalg.norm: linear.norm,
    np.dot: linear.dot,
    np.einsum: einsum,
    np.diff: reductions.diff,
    np.zeros_like: compositions.like(np.zeros_like),
    np.ones_like: compositions.like(np.ones_like),
    np.empty_like: compositions.like(np.zeros_like),
    np.full_like: compositions.full_like,
}
"""The function that stands for each function of NumPy."""

NEWER: dict[str, Callable[..., Any]] = {
    "vecdot": linear.vecdot,
    "matvec": linear.matvec,
    "vecmat": linear.vecmat,
    "astype": compositions.astype,
    "cumulative_sum": reductions.cumulative("cumulative_sum", np.cumsum),
    "cumulative_prod": reductions.cumulative("cumulative_prod", np.cumprod),
}
"""Functions that not every NumPy has."""

COMPOSED |= {getattr(np, name): function for name, function in NEWER.items() if hasattr(np, name)}
