"""What a cost may return and what it may raise.

Engines and witnesses turn what a cost returned into one number here, or refuse it with advice. An exception
of DOMAIN_ERRORS means that a perturbed point lies outside the cost's domain.
"""

from __future__ import annotations

from typing import Any, overload

import numpy as np

from fastgrad.errors import InputError
from fastgrad.problem.block import describe

DType = type[np.float64] | type[np.complex128]
"""The dtype of values: complex128 for the complex step, float64 for every other stencil."""

DOMAIN_ERRORS = (ArithmeticError, ValueError, np.linalg.LinAlgError)
"""What a cost raises outside its domain (math domain error, a singular matrix). The value of a perturbed
point is then NaN. An InputError is a ValueError too, but never means this."""


@overload
def to_number(value: Any, dtype: type[np.float64] = np.float64) -> float: ...


@overload
def to_number(value: Any, dtype: DType) -> complex: ...


def to_number(value: Any, dtype: DType = np.float64) -> complex:
    """What a cost returned, as one float; as one complex number for the complex step.

    Raises
    ------
    InputError
        For anything but one number: an array, None, a string, a complex number. For the complex step: for a
        real number, since the cost then dropped the imaginary part.
    """
    if dtype is np.complex128:
        return _to_complex(value)
    if isinstance(value, complex | np.complexfloating):
        raise InputError(
            f"the cost must return one real number; got the complex {value:.6g}. Return its real part"
        )
    shape = getattr(value, "shape", ())
    if shape != () or isinstance(value, str | bytes | bool | np.bool_ | None | list | tuple | dict):
        raise InputError(_not_a_number(value, shape))
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        raise InputError(_not_a_number(value, shape)) from error


def epsilon_of(value: Any) -> float:
    """Machine epsilon of the dtype of what a cost returned; that of float64 for a Python float."""
    dtype = getattr(value, "dtype", None)
    is_numpy = isinstance(dtype, np.dtype) and dtype.kind in "fc"
    return float(np.finfo(dtype if is_numpy else np.float64).eps)


def _to_complex(value: Any) -> complex:
    if np.shape(value) == () and np.iscomplexobj(value):
        return complex(value)
    raise InputError(
        'method="complex" needs a cost that carries complex numbers through; '
        f"this one returned {describe(value)}. It drops the imaginary part on the way: look for "
        'np.abs, .real, float(), astype(float) or a float buffer, or use method="central"'
    )


def _not_a_number(value: Any, shape: tuple[int, ...]) -> str:
    advice = ""
    if shape and int(np.prod(shape)) == 1:
        advice = ". It holds one number: return it with .item()"
    elif shape:
        advice = ". Sum it or take its mean; for a cost of a batch (k, n) -> (k,), say vectorized=True"
    elif value is None:
        advice = ". Is a return missing?"
    return f"the cost must return one number; got {describe(value)}{advice}"
