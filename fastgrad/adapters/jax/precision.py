"""In which precision jax computes: float64 inside of a context, whatever its setting is.

jax.enable_x64 holds for a thread, so each call of a user's function is made inside of the context.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from fastgrad.adapters.own_precision import EPSILONS


def x64(on: bool) -> AbstractContextManager[Any]:
    """A context inside of which jax has float64, or has not."""
    if hasattr(jax, "enable_x64"):
        found: AbstractContextManager[Any] = jax.enable_x64(on)
        return found
    from jax.experimental import enable_x64  # before jax 0.8

    return enable_x64(on)  # type: ignore[no-any-return]


def is_x64() -> bool:
    """Whether jax has float64 as it is set now, for this thread."""
    return bool(jax.config.jax_enable_x64)


def precision_of(array: Any) -> str:
    """The name of the precision of a real or complex array: "float32" for complex64."""
    name = str(np.dtype(array.dtype).name)
    return {"complex64": "float32", "complex128": "float64"}.get(name, name)


def is_inexact(array: Any) -> bool:
    """Whether an array holds floats or complex numbers, which have derivatives."""
    return bool(jnp.issubdtype(array.dtype, jnp.inexact))


def in_double(array: Any) -> Any:
    """Floats and complex numbers in double precision; integers, keys and the like as they are."""
    if not is_inexact(array):
        return array
    return jnp.asarray(array, jnp.complex128 if jnp.iscomplexobj(array) else jnp.float64)


def as_float64(array: Any) -> Any:
    """A real array of jax as an array of NumPy in float64, whatever its precision."""
    return np.asarray(array).astype(np.float64)


def is_known(precision: str) -> bool:
    """Whether a precision is one that gradients can be compared in."""
    return precision in EPSILONS
