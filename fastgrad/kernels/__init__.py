"""Functions and losses for cost functions, compiled by Numba: fast, accurate to a stated ulp.

Names are loaded on first use, so that `fastgrad.kernels.jit.is_jitted` can be asked about a cost
without importing Numba; `fastgrad.kernels.exp` and `from fastgrad.kernels import exp` both work, in
Python and inside `@numba.njit`. The names not listed here are the building blocks: the loops over
contiguous arrays in `elementwise`, the numbers' kernels in `_scalar`, compensated sums in `sums`.

>>> from fastgrad import kernels
>>> kernels.sigmoid(0.0)
0.5
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fastgrad.kernels.elementwise import exp as exp
    from fastgrad.kernels.elementwise import relu as relu
    from fastgrad.kernels.elementwise import sigmoid as sigmoid
    from fastgrad.kernels.elementwise import softplus as softplus
    from fastgrad.kernels.elementwise import tanh as tanh
    from fastgrad.kernels.losses import half_squared_error as half_squared_error
    from fastgrad.kernels.losses import logistic_loss as logistic_loss
    from fastgrad.kernels.losses import mean_squared_error as mean_squared_error
    from fastgrad.kernels.losses import softmax_cross_entropy as softmax_cross_entropy

__all__ = [
    "exp",
    "half_squared_error",
    "logistic_loss",
    "mean_squared_error",
    "relu",
    "sigmoid",
    "softmax_cross_entropy",
    "softplus",
    "tanh",
]

_HOME = {
    "exp": "elementwise",
    "half_squared_error": "losses",
    "logistic_loss": "losses",
    "mean_squared_error": "losses",
    "relu": "elementwise",
    "sigmoid": "elementwise",
    "softmax_cross_entropy": "losses",
    "softplus": "elementwise",
    "tanh": "elementwise",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
