"""Arrays of jax, which is imported only when one comes.

No jax array sees what is written into an array of NumPy, so each call gets a copy.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from fastgrad.errors import InputError
from fastgrad.problem.describe import describe
from fastgrad.problem.kinds.complex_parts import complex_array, complex_form
from fastgrad.problem.kinds.form import Form


def form_of(value: Any, what: str) -> Form | None:
    """The form of a jax array; None for anything else of jax.

    Raises
    ------
    InputError
        For an array that a jax transformation traces, and for one of other numbers than float32 or float64.
    """
    import jax

    if not isinstance(value, jax.Array):
        return None
    if isinstance(value, jax.core.Tracer):
        raise InputError(_traced(what), code="FG110")
    if value.dtype in (np.complex64, np.complex128):
        return complex_form("a complex jax array", _complex_jax_array, is_conjugate=True)
    if value.dtype not in (np.float32, np.float64):
        raise InputError(
            f"{what} must be a float32 or float64 array; got {describe(value)}. "
            "Pass .astype(jnp.float32) if it is a parameter",
            code="FG101",
        )
    return Form("a jax array", _jax_array, takes_batch=True)


def to_array(value: Any, what: str) -> npt.NDArray[Any] | None:
    """The numbers of a jax array; None for anything else of jax. bfloat16 becomes float32.

    Raises
    ------
    InputError
        For an array that a jax transformation traces.
    """
    import jax

    if not isinstance(value, jax.Array):
        return None
    if isinstance(value, jax.core.Tracer):
        raise InputError(_traced(what), code="FG110")
    if jax.numpy.issubdtype(value.dtype, jax.numpy.floating) and value.dtype.itemsize < 4:
        value = value.astype(jax.numpy.float32)
    return np.asarray(value)


def _traced(what: str) -> str:
    return (
        f"{what} is traced by jax: it has no numbers inside jit, grad or vmap. Call fastgrad outside of "
        "them, and let no function keep what another one traced"
    )


def _complex_jax_array(parts: npt.NDArray[Any]) -> Any:
    return _jax_array(complex_array(parts))


def _jax_array(array: npt.NDArray[Any]) -> Any:
    import jax

    return jax.numpy.array(array)  # asarray may alias the memory, which is written to between calls
