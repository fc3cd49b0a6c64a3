"""Compiled functions and losses for cost functions, accurate to a stated number of ulp.

`fastgrad.kernels.exp` and `from fastgrad.kernels import exp` both work, in Python and inside `@numba.njit`.
Arrays of float32 or float64 go in; arrays of the same shape and dtype come out, or for a loss a float64
number.

The public functions are loaded on first use, so that `fastgrad.kernels.jit.is_jitted` can be asked about a
cost without importing Numba. They are made of the loops over contiguous arrays in `elementwise`, the
functions of one number in `_scalar` and the compensated sums in `sums`. The other modules are the loops of
the engines.

>>> from fastgrad import kernels
>>> kernels.sigmoid(0.0)
0.5
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # for type checkers: the names of __all__, which __getattr__ finds
    from fastgrad.kernels.elementwise import exp as exp
    from fastgrad.kernels.elementwise import relu as relu
    from fastgrad.kernels.elementwise import sigmoid as sigmoid
    from fastgrad.kernels.elementwise import softplus as softplus
    from fastgrad.kernels.elementwise import tanh as tanh
    from fastgrad.kernels.losses import half_squared_error as half_squared_error
    from fastgrad.kernels.losses import logistic_loss as logistic_loss
    from fastgrad.kernels.losses import mean_squared_error as mean_squared_error
    from fastgrad.kernels.losses import softmax_cross_entropy as softmax_cross_entropy

_MODULES = {
    "elementwise": ("exp", "relu", "sigmoid", "softplus", "tanh"),
    "losses": ("half_squared_error", "logistic_loss", "mean_squared_error", "softmax_cross_entropy"),
}
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names}

__all__ = sorted(_MODULE_OF)


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
