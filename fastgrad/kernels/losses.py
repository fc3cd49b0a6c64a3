"""Losses of a batch, accurate to a few ulp for any size, from Python and from compiled costs.

Arrays of float32 or float64 of any layout go in, and a float64 number comes out. The arithmetic is in float64
and sums are compensated (`sums`), so that the loss adds no rounding error to finite differences of a float32
network. NaN gives NaN, and an infinite loss is inf.

Users call the functions from Python and from a cost under their own `@numba.njit`. In Python, messages give
the shapes of the arguments. In compiled code messages are fixed strings, and types are checked when the
caller is compiled.

>>> import numba
>>> @numba.njit
... def cost(theta, x, y):
...     return half_squared_error(x @ theta, y)
>>> cost(np.array([1.0, 2.0]), np.eye(2), np.array([0.0, 0.0]))
2.5

Accuracy is given in ulp of the result, against the exact loss of the given numbers, and is tested against
mpmath.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from fastgrad.kernels._scalar import exp1, log1p1
from fastgrad.kernels.jit import jit, kind_of, overload
from fastgrad.kernels.sums import BLOCK, add_block, rounded, two_sum

Array = npt.NDArray[Any]

NO_SAMPLES = "The mean over no samples is undefined: got an empty array."
SHAPES_DIFFER = "{name} and target must have the same shape."
BAD_LABELS = "labels must hold one integer for each row of logits, between 0 and the number of classes - 1."
BAD_TARGETS = "target must lie between 0 and 1. For labels -1 and +1 use (target + 1) / 2."

# The loops. They take contiguous arrays of matching shapes. They raise an exception for values that would
# make them read out of bounds or that have no meaning.


# n = elements; y (n,), target (n,)
@jit
def squared_error_sum(y: Array, target: Array) -> float:
    """sum_i (y_i - target_i)**2."""
    terms, errors = np.empty(BLOCK), np.empty(BLOCK)
    high, low = 0.0, 0.0
    for start in range(0, y.size, BLOCK):
        y_block, target_block = y[start : start + BLOCK], target[start : start + BLOCK]
        for i in range(y_block.size):
            difference = np.float64(y_block[i]) - np.float64(target_block[i])
            terms[i] = difference * difference
        high, low = add_block(high, low, terms, errors, y_block.size)
    return rounded(high, low)


# n = elements; y (n,), target (n,)
@jit
def squared_error_mean(y: Array, target: Array) -> float:
    """sum_i (y_i - target_i)**2 / n."""
    if y.size == 0:
        raise ValueError(NO_SAMPLES)
    return squared_error_sum(y, target) / y.size


# n = samples, c = classes; logits (n, c), labels (n,)
@jit
def cross_entropy_mean(logits: Array, labels: Array) -> float:
    """Mean over i of log sum_j exp(logits[i, j]) - logits[i, labels[i]].

    With m the largest logit of a row, at column `at`, the row's loss is

        log1p(sum over j != at of exp(logits[j] - m)) + (m - logits[label])

    two terms that are not negative: nothing cancels, however small the loss.
    Columns are the outer loop, samples of a block the inner one, which vectorises for any c.
    """
    n, c = logits.shape
    if n == 0:
        raise ValueError(NO_SAMPLES)
    column, largest, total, rest = np.empty(BLOCK), np.empty(BLOCK), np.empty(BLOCK), np.empty(BLOCK)
    at = np.empty(BLOCK, np.int64)
    high, low = 0.0, 0.0
    for start in range(0, n, BLOCK):
        block, block_labels = logits[start : start + BLOCK], labels[start : start + BLOCK]
        rows = block_labels.size
        for i in range(rows):
            if block_labels[i] < 0 or block_labels[i] >= c:
                raise ValueError(BAD_LABELS)
            largest[i], at[i], total[i], rest[i] = block[i, 0], 0, 0.0, 0.0
        for j in range(1, c):
            for i in range(rows):
                x = np.float64(block[i, j])
                larger = x > largest[i]
                largest[i] = x if larger else largest[i]
                at[i] = j if larger else at[i]
        for j in range(c):
            for i in range(rows):
                column[i] = block[i, j]
            for i in range(rows):
                # exp of the exact difference d + e, and not of d, whose rounding exp would magnify.
                d, e = two_sum(column[i], -largest[i])
                e = e if abs(e) < 1.0 else 0.0  # e is NaN where a logit is infinite, and d is then exact
                p = exp1(d)
                s, r = two_sum(total[i], 0.0 if at[i] == j else p + p * e)
                total[i] = s
                rest[i] += r
        for i in range(rows):
            column[i] = largest[i] - np.float64(block[i, block_labels[i]])
        for i in range(rows):
            column[i] += log1p1(total[i] + rest[i])
        high, low = add_block(high, low, column, rest, rows)
    mean: float = rounded(high, low) / n
    return mean


# n = elements; z (n,), target (n,)
@jit
def logistic_mean(z: Array, target: Array) -> float:
    """Mean over i of log(1 + exp(z_i)) - target_i z_i.

    Each term is log1p(exp(-|z|)) + |z| w, with w = 1 - target for z > 0 and target otherwise: two
    terms that are not negative for targets in [0, 1].
    """
    if z.size == 0:
        raise ValueError(NO_SAMPLES)
    terms, errors = np.empty(BLOCK), np.empty(BLOCK)
    high, low = 0.0, 0.0
    for start in range(0, z.size, BLOCK):
        z_block, target_block = z[start : start + BLOCK], target[start : start + BLOCK]
        outside = 0
        for i in range(z_block.size):
            t = np.float64(target_block[i])
            outside += 1 if (t < 0.0) | (t > 1.0) else 0
            x = np.float64(z_block[i])
            w = 1.0 - t if x > 0.0 else t
            tail = 0.0 if w == 0.0 else abs(x) * w  # 0 where inf * 0 would be NaN
            terms[i] = tail + log1p1(exp1(-abs(x)))
        if outside > 0:
            raise ValueError(BAD_TARGETS)
        high, low = add_block(high, low, terms, errors, z_block.size)
    return rounded(high, low) / z.size


# The public functions.


def half_squared_error(y: Array, target: Array) -> float:
    """0.5 * sum((y - target)**2), within 4 ulp (measured 1.8).

    `y`: float32 or float64, any shape. `target`: the same shape, any real dtype. Returns a float64
    number, 0 for empty arrays. Raises ValueError when the shapes differ.

    >>> half_squared_error(np.array([1.0, 2.0]), np.array([0.0, 0.0]))
    2.5
    """
    _check_shapes("y", y, target)
    return 0.5 * squared_error_sum(_flat(y), _flat(target))


def mean_squared_error(y: Array, target: Array) -> float:
    """Mean over all elements of (y - target)**2, within 5 ulp (measured 2.5).

    `y`: float32 or float64, any shape. `target`: the same shape, any real dtype. Returns a float64
    number. Raises ValueError when the shapes differ or there are no elements.

    >>> mean_squared_error(np.array([1.0, 2.0]), np.array([0.0, 0.0]))
    2.5
    """
    _check_shapes("y", y, target)
    return squared_error_mean(_flat(y), _flat(target))


def softmax_cross_entropy(logits: Array, labels: Array) -> float:
    """Mean over samples of -log softmax(logits)[label], within 4 ulp (measured 1.6).

    `logits`: (samples, classes), float32 or float64. `labels`: (samples,), integers, the column of
    each sample's class. Returns a float64 number. Raises ValueError for a label that is no column,
    for shapes that do not agree and for no samples, TypeError for labels that are not integers.

    A logit of -inf is a class that is ruled out. The bound is relative to the loss, so a loss of
    1e-300 is as accurate as a loss of 1:

    >>> softmax_cross_entropy(np.array([[0.0, 0.0], [700.0, 0.0]]), np.array([1, 0]))
    0.34657359027997264
    >>> softmax_cross_entropy(np.array([[700.0, 0.0]]), np.array([0]))
    9.85967654375977e-305
    """
    _check_floats("logits", logits)
    _check_real("labels", labels)
    _check_labels(logits.ndim, labels.ndim, labels.dtype)
    samples, classes = logits.shape
    if labels.shape != (samples,):
        raise ValueError(f"{BAD_LABELS} Got {labels.size} labels for logits {logits.shape}.")
    wrong = np.flatnonzero((labels < 0) | (labels >= classes))
    if wrong.size:
        i = int(wrong[0])
        raise ValueError(f"{BAD_LABELS} Got labels[{i}] = {labels[i]} for {classes} classes.")
    return cross_entropy_mean(np.ascontiguousarray(logits), _flat(labels))


def logistic_loss(z: Array, target: Array) -> float:
    """Mean over all elements of log(1 + exp(z)) - target * z, within 4 ulp (measured 1.6).

    `z`: float32 or float64, any shape: the log odds. `target`: the same shape, any real dtype, 0 or
    1 or a probability between. Returns a float64 number. Raises ValueError for a target outside
    [0, 1], when the shapes differ or there are no elements.

    >>> logistic_loss(np.array([0.0, 2.0]), np.array([1, 0]))
    1.410037595801459
    """
    _check_shapes("z", z, target)
    return logistic_mean(_flat(z), _flat(target))


# The checks. Those of types take NumPy arrays, or the array types of Numba in compiled code: both have `ndim`
# and `dtype`, and `kind_of` reads both kinds of dtype.


def _check_floats(name: str, x: Any) -> None:
    if not hasattr(x, "ndim") or kind_of(x.dtype) != "float":
        got = f"an array of {x.dtype}" if hasattr(x, "ndim") else f"no array but {x}"
        raise TypeError(
            f"{name} must be an array of float32 or float64, got {got}. "
            f"Convert it first: np.asarray({name}, dtype=np.float64)."
        )


def _check_real(name: str, x: Any) -> None:
    if not hasattr(x, "ndim") or not kind_of(x.dtype):
        got = f"an array of {x.dtype}" if hasattr(x, "ndim") else f"no array but {x}"
        raise TypeError(f"{name} must be an array of float32, float64, integers or bool, got {got}.")


def _check_labels(logits_ndim: int, labels_ndim: int, dtype: Any) -> None:
    if logits_ndim != 2 or labels_ndim != 1:
        raise ValueError(
            "logits must have shape (samples, classes) and labels (samples,), got arrays with "
            f"{logits_ndim} and {labels_ndim} axes. One-hot labels: use labels.argmax(axis=1)."
        )
    if kind_of(dtype) != "integer":
        raise TypeError(f"labels must be integers, got {dtype}. Use labels.astype(np.int64).")


def _check_types(name: str, x: Any, target: Any) -> None:
    _check_floats(name, x)
    _check_real("target", target)
    if x.ndim != target.ndim:
        expected = SHAPES_DIFFER.format(name=name)
        raise ValueError(f"{expected} Got arrays with {x.ndim} and {target.ndim} axes.")


def _check_shapes(name: str, x: Array, target: Array) -> None:
    _check_types(name, x, target)
    if x.shape != target.shape:
        expected = SHAPES_DIFFER.format(name=name)
        raise ValueError(f"{expected} Got {x.shape} and {target.shape}.")


def _flat(x: Array) -> Array:
    return np.ascontiguousarray(x).reshape(-1)


# The public functions in compiled code. Types are checked when the caller is compiled, shapes when it runs.

Implementation = Callable[..., Any]


Y_DIFFERS = SHAPES_DIFFER.format(name="y")
Z_DIFFERS = SHAPES_DIFFER.format(name="z")


@overload(half_squared_error)
def _half_squared_error(y: Any, target: Any) -> Implementation:
    _check_types("y", y, target)

    def compiled(y: Any, target: Any) -> Any:  # pragma: no cover
        if y.shape != target.shape:
            raise ValueError(Y_DIFFERS)
        target = np.ascontiguousarray(target)
        return 0.5 * squared_error_sum(np.ascontiguousarray(y).reshape(-1), target.reshape(-1))

    return compiled


@overload(mean_squared_error)
def _mean_squared_error(y: Any, target: Any) -> Implementation:
    _check_types("y", y, target)

    def compiled(y: Any, target: Any) -> Any:  # pragma: no cover
        if y.shape != target.shape:
            raise ValueError(Y_DIFFERS)
        target = np.ascontiguousarray(target)
        return squared_error_mean(np.ascontiguousarray(y).reshape(-1), target.reshape(-1))

    return compiled


@overload(softmax_cross_entropy)
def _softmax_cross_entropy(logits: Any, labels: Any) -> Implementation:
    _check_floats("logits", logits)
    _check_real("labels", labels)
    _check_labels(logits.ndim, labels.ndim, labels.dtype)

    def compiled(logits: Any, labels: Any) -> Any:  # pragma: no cover
        if logits.shape[0] != labels.shape[0]:
            raise ValueError(BAD_LABELS)
        return cross_entropy_mean(np.ascontiguousarray(logits), np.ascontiguousarray(labels))

    return compiled


@overload(logistic_loss)
def _logistic_loss(z: Any, target: Any) -> Implementation:
    _check_types("z", z, target)

    def compiled(z: Any, target: Any) -> Any:  # pragma: no cover
        if z.shape != target.shape:
            raise ValueError(Z_DIFFERS)
        target = np.ascontiguousarray(target)
        return logistic_mean(np.ascontiguousarray(z).reshape(-1), target.reshape(-1))

    return compiled
