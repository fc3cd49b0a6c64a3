"""The methods of an array, as functions of it.

`Recorded` looks them up here. What is not here is not recorded: the cost is declined, with its name.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from fastgrad.engines.traced.functions import apply
from fastgrad.engines.traced.primitives import cast


def _numpy(name: str) -> Callable[..., Any]:
    return lambda self, *args, **kwargs: getattr(np, name)(self, *args, **kwargs)


def _reshaped(self: Any, *shape: Any, **kwargs: Any) -> Any:
    shape = shape[0] if len(shape) == 1 else shape
    if isinstance(shape, tuple | list):
        shape = tuple(operator.index(n) for n in shape)
    return np.reshape(self, shape, **kwargs)


def _transposed(self: Any, *axes: Any) -> Any:
    if not axes or axes == (None,):
        return np.transpose(self)
    return np.transpose(self, axes[0] if len(axes) == 1 and not np.isscalar(axes[0]) else axes)


def _astype(
    self: Any, dtype: Any, order: str = "K", casting: Any = "unsafe", subok: bool = True, copy: bool = True
) -> Any:
    del order, subok
    if not np.can_cast(self.dtype, dtype, casting=casting):
        raise TypeError(f"Cannot cast array data from {self.dtype!r} to {np.dtype(dtype)!r}")
    if not copy and np.dtype(dtype) == self.dtype:
        return self
    return apply(self.recorder, cast, (self, np.dtype(dtype)), {})


def _in_place(function: Callable[..., Any]) -> Callable[..., None]:
    def method(self: Any, *args: Any, **kwargs: Any) -> None:
        self.assign(function(self, *args, **kwargs))

    return method


def _compressed(self: Any, condition: Any, axis: Any = None, **kwargs: Any) -> Any:
    return np.compress(condition, self, axis=axis, **kwargs)


def _clipped(self: Any, min: Any = None, max: Any = None, **kwargs: Any) -> Any:
    return np.clip(self, min, max, **kwargs)


METHODS: dict[str, Callable[..., Any]] = {
    name: _numpy(name)
    for name in (
        "sum", "prod", "mean", "var", "std", "min", "max", "any", "all", "argmin", "argmax", "argsort",
        "cumsum", "cumprod", "round", "dot", "trace", "diagonal", "take", "repeat", "ravel", "squeeze",
        "swapaxes", "searchsorted", "nonzero", "choose", "conj", "conjugate", "argpartition", "put",
    )
}  # fmt: skip
METHODS |= {
    "reshape": _reshaped,
    "transpose": _transposed,
    "astype": _astype,
    "clip": _clipped,
    "compress": _compressed,
    "flatten": lambda self, order="C": np.copy(np.ravel(self, order)),
    "copy": lambda self, order="C": self if self.scalar else np.copy(self, order),
    "fill": lambda self, value: self.__setitem__(Ellipsis, value),
    "sort": _in_place(np.sort),
    "partition": _in_place(np.partition),
}
"""What each method is written as."""
