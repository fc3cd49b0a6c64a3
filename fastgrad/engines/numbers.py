"""What a cost may return and what it may raise.

Engines and witnesses turn what a cost returned into one number here, or refuse it with advice. An exception
of DOMAIN_ERRORS means that a perturbed point lies outside the cost's domain.
"""

from __future__ import annotations

from typing import Any, overload

import numpy as np

from fastgrad.errors import InputError
from fastgrad.problem.describe import describe
from fastgrad.problem.kinds.registry import kind_of
from fastgrad.problem.matching import second_of_pair

DType = type[np.float64] | type[np.complex128]
"""The dtype of values: complex128 for the complex step, float64 for every other stencil."""

DOMAIN_ERRORS = (ArithmeticError, ValueError, np.linalg.LinAlgError)
"""What a cost raises outside its domain (math domain error, a singular matrix). The value of a perturbed
point is then NaN. An InputError is a ValueError too, but never means this."""


_REAL = (float, np.floating)


class PairReturnedError(InputError):
    """A cost returned a pair whose first entry is a number: (loss, gradient), or (loss, something else).

    Parameters
    ----------
    pair : what it returned
    """

    def __init__(self, pair: Any) -> None:
        super().__init__(_not_a_number(pair, ()) + ". Return its first entry alone", code="FG204")
        self.pair = pair

    def __reduce__(self) -> tuple[type[PairReturnedError], tuple[Any]]:
        """Rebuild from the pair, so that the error survives a trip between processes."""
        return type(self), (self.pair,)


class AnotherCostError(InputError):
    """A cost gives something else than what was recorded of it, though both were the same before."""


@overload
def to_number(value: Any, dtype: type[np.float64] = np.float64) -> float: ...


@overload
def to_number(value: Any, dtype: DType) -> complex: ...


def to_number(value: Any, dtype: DType = np.float64) -> complex:
    """What a cost returned, as one float; as one complex number for the complex step.

    A number of another library, such as a tensor that requires a gradient, is taken without its graph. A
    matrix of one entry is a number, since a product of matrices can give no other.

    Raises
    ------
    PairReturnedError
        For a pair whose first entry is a number.
    InputError
        For anything else but one number: an array, None, a string, a complex number. For the complex step:
        for a real number, since the cost then dropped the imaginary part.
    """
    if dtype is np.float64 and isinstance(value, _REAL):
        return float(value)
    if isinstance(value, tuple | list) and second_of_pair(value) is not None:
        raise PairReturnedError(value)
    number = _of_numpy(value)
    if dtype is np.complex128:
        return _to_complex(number)
    if isinstance(number, complex | np.complexfloating):
        raise InputError(
            f"the cost must return one real number; got the complex {number:.6g}. Return its real part, "
            "and look for complex numbers in the parameters or data",
            code="FG203",
        )
    shape = _shape(number)
    is_other = isinstance(number, str | bytes | bool | np.bool_ | None | list | tuple | dict)
    if shape != () or is_other:
        raise InputError(_not_a_number(value, shape if _holds_numbers(number) else ()), code="FG202")
    try:
        return float(number)
    except Exception as error:
        raise InputError(_not_a_number(value, ()), code="FG202") from error


def loss_of(value: Any) -> Any:
    """The first of a pair (loss, gradient); anything else as it is."""
    return value[0] if second_of_pair(value) is not None else value


def epsilon_of(value: Any) -> float:
    """Machine epsilon of the dtype of what a cost returned; that of float64 for a Python float."""
    dtype = getattr(_of_numpy(value), "dtype", None)
    is_numpy = isinstance(dtype, np.dtype) and dtype.kind in "fc"
    return float(np.finfo(dtype if is_numpy else np.float64).eps)


def epsilon_of_cost(cost: Any, value: Any) -> float:
    """Machine epsilon of what a cost computes with: of its value's dtype, or coarser where the cost says so.

    A sum in double precision of outputs that a function gives in float32 scatters as float32 does.
    """
    return max(epsilon_of(value), float(getattr(cost, "coarsest_epsilon", 0.0)))


def _of_numpy(value: Any) -> Any:
    """A value of another library as an array; a matrix of one entry as that entry; others as they are."""
    if isinstance(value, np.matrix):
        return value[0, 0] if value.size == 1 else value
    kind = kind_of(value)
    if kind is None:
        return value
    try:
        found = kind.to_array(value, "the cost")
    except InputError:
        raise
    except Exception:  # no array: the value is refused as it is
        return value
    return value if found is None else found


def _shape(value: Any) -> tuple[int, ...]:
    try:
        return tuple(int(n) for n in value.shape)
    except Exception:  # no array
        return ()


def _holds_numbers(array: Any) -> bool:
    dtype = getattr(array, "dtype", None)
    return not isinstance(dtype, np.dtype) or dtype.kind in "fiubc"


def _to_complex(value: Any) -> complex:
    is_number = isinstance(value, np.ndarray | np.generic | complex) and np.shape(value) == ()
    if is_number and np.iscomplexobj(value):
        return complex(value)
    raise InputError(
        'method="complex" needs a cost that carries complex numbers through; '
        f"this one returned {describe(value)}. It drops the imaginary part on the way: look for "
        'np.abs, .real, float(), astype(float) or a float buffer, or use method="central"',
        code="FG230",
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
