"""Products of arrays, written as products of two matrices or vectors where they are such.

A product of matrices has a rule for few changed entries (`sparse_rules`) and can have tables (`sites`). So a
product with more axes, and an einsum of two arrays, becomes one of matrices, with reshapes around it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fastgrad.engines.traced.functions import apply, stacked


def as_matrix_product(a: Any, b: Any, function: Callable[..., Any]) -> Any:
    """a @ b, where one of them is recorded."""
    a, b = stacked(a), stacked(b)
    recorder = a.recorder if hasattr(a, "recorder") else b.recorder
    if a.ndim > 2 and b.ndim <= 2:
        rows = np.reshape(a, (int(np.prod(a.shape[:-1])), a.shape[-1]))
        return np.reshape(apply(recorder, function, (rows, b), {}), a.shape[:-1] + b.shape[1:])
    return apply(recorder, function, (a, b), {})


def einsum(*operands: Any, **kwargs: Any) -> Any:
    """An einsum as a product of matrices where it is one of two arrays, else as it is."""
    recorder = next(x.recorder for x in operands if hasattr(x, "recorder"))
    parsed = _parsed(operands)
    if parsed is None or kwargs.get("dtype") is not None:
        return apply(recorder, np.einsum, operands, kwargs)
    left, right, out = parsed
    a, b = (stacked(x) for x in operands[1:])
    a, left = _summed_alone(a, left, right + out)
    b, right = _summed_alone(b, right, left + out)
    together = [c for c in left if c in right and c in out]
    inner = [c for c in left if c in right and c not in out]
    rows, columns = ([c for c in x if c not in y] for x, y in ((left, right), (right, left)))
    sizes = dict(zip(left, np.shape(a), strict=True)) | dict(zip(right, np.shape(b), strict=True))
    a = _grouped(a, left, (together, rows, inner), sizes)
    b = _grouped(b, right, (together, inner, columns), sizes)
    if together:
        product = np.matmul(a, b)
    else:
        product = as_matrix_product(np.reshape(a, a.shape[1:]), np.reshape(b, b.shape[1:]), np.matmul)
    order = together + rows + columns
    product = np.reshape(product, [sizes[c] for c in order])
    product = np.transpose(product, [order.index(c) for c in out])
    return product if out else product[()]  # a scalar, as NumPy gives it


def _parsed(operands: tuple[Any, ...]) -> tuple[str, str, str] | None:
    """The letters of two operands and of the result; None for any other einsum."""
    if not isinstance(operands[0], str) or len(operands) != 3:
        return None
    given, arrow, out = operands[0].replace(" ", "").partition("->")
    if "." in given or given.count(",") != 1:
        return None
    left, right = given.split(",")
    if len(set(left)) < len(left) or len(set(right)) < len(right):
        return None
    if not arrow:
        out = "".join(sorted(c for c in set(left + right) if (left + right).count(c) == 1))
    return left, right, out


def _summed_alone(x: Any, mine: str, others: str) -> tuple[Any, str]:
    """The array summed over the axes that it has alone."""
    alone = tuple(k for k, c in enumerate(mine) if c not in others)
    if not alone:
        return x, mine
    return np.sum(x, axis=alone), "".join(c for c in mine if c in others)


def _grouped(x: Any, mine: str, groups: tuple[list[str], ...], sizes: dict[str, int]) -> Any:
    """The array as one with an axis for each group of letters."""
    order = [c for group in groups for c in group]
    x = np.transpose(x, [mine.index(c) for c in order])
    return np.reshape(x, [int(np.prod([sizes[c] for c in group])) for group in groups])
