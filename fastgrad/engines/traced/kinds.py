"""Kinds of operations, by what of its arguments each entry of the result depends on.

`dense_rules`, `sparse_rules` and `apart` evaluate the operations of a kind by one rule.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fastgrad.engines.traced import primitives
from fastgrad.engines.traced.tape import Operation

ELEMENTWISE: set[Callable[..., Any]] = {
    primitives.cast, np.where, np.clip, np.nan_to_num, np.round, np.around, np.real, np.imag, np.sinc, np.angle,
    np.isclose, np.fix, np.i0, np.isneginf, np.isposinf, np.iscomplex, np.isreal,
}  # fmt: skip
"""Functions that compute each entry of the result from the entries of their array arguments at its place; the
same of ufuncs is known."""

ALONG: dict[Callable[..., Any], tuple[str, Any]] = {
    np.sort: ("axis", -1), np.argsort: ("axis", -1), np.argmax: ("axis", None), np.argmin: ("axis", None),
    np.median: ("axis", None), np.partition: ("axis", -1), np.argpartition: ("axis", -1),
    np.percentile: ("axis", None), np.quantile: ("axis", None), np.nansum: ("axis", None),
    np.nanmean: ("axis", None), np.nanmax: ("axis", None), np.nanmin: ("axis", None),
    np.nanprod: ("axis", None), np.nancumsum: ("axis", None), np.count_nonzero: ("axis", None),
    np.fft.fft: ("axis", -1), np.fft.ifft: ("axis", -1), np.fft.rfft: ("axis", -1), np.fft.irfft: ("axis", -1),
    np.fft.hfft: ("axis", -1), np.fft.ihfft: ("axis", -1), np.fft.fft2: ("axes", (-2, -1)),
    np.fft.ifft2: ("axes", (-2, -1)), np.fft.rfft2: ("axes", (-2, -1)), np.fft.irfft2: ("axes", (-2, -1)),
    np.fft.fftn: ("axes", None), np.fft.ifftn: ("axes", None), np.fft.rfftn: ("axes", None),
    np.fft.irfftn: ("axes", None), np.unwrap: ("axis", -1), np.nanargmax: ("axis", None),
    np.nanargmin: ("axis", None), np.nancumprod: ("axis", None), np.nanmedian: ("axis", None),
    np.nanpercentile: ("axis", None), np.nanquantile: ("axis", None), np.nanvar: ("axis", None),
    np.nanstd: ("axis", None), np.trapezoid: ("axis", -1),
}  # fmt: skip
"""Functions that work along an axis of their first argument: the name of that argument, and its default."""

ALONG_ELSEWHERE: dict[tuple[str, str], tuple[str, Any]] = {
    ("scipy.special", "logsumexp"): ("axis", None),
    ("scipy.special", "softmax"): ("axis", None),
    ("scipy.special", "log_softmax"): ("axis", None),
}
"""The same of other libraries, by package and name: they are loaded only where the cost does so."""

MATRICES: set[Callable[..., Any]] = {
    np.linalg.inv, np.linalg.det, np.linalg.slogdet, np.linalg.cholesky, np.linalg.eigh, np.linalg.eigvalsh,
    np.linalg.svd, np.linalg.svdvals, np.linalg.qr, np.linalg.pinv, np.linalg.matrix_power, np.linalg.matrix_norm,
    np.linalg.matrix_rank, np.linalg.cond,
}  # fmt: skip
"""Functions of matrices that take a stack of them."""

POINTWISE: dict[Callable[..., Any], int] = {
    np.interp: 0, np.searchsorted: 1, np.digitize: 0, np.polyval: 1, np.isin: 0,
}  # fmt: skip
"""Functions that compute each entry of the result from one entry of one argument, and that argument: the others
are tables."""

PRODUCTS = (np.matmul, np.dot)
"""Products of two arrays, which stand in a tape with matrices or vectors where the cost's product is such."""


def axis_of(function: Callable[..., Any]) -> tuple[str, Any] | None:
    """The name of the axis argument and its default, of functions that work along an axis."""
    if function in ALONG:
        return ALONG[function]
    package = ".".join(getattr(function, "__module__", "").split(".")[:2])
    return ALONG_ELSEWHERE.get((package, getattr(function, "__name__", "")))


def is_elementwise(operation: Operation) -> bool:
    """Whether each entry of the result depends only on the entries at its place."""
    function = operation.function
    if isinstance(function, np.ufunc):
        return function.signature is None
    return function in ELEMENTWISE
