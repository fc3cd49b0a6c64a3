"""Arrays that carry complex numbers through analytic operations only, and refuse all others.

A cost survives the complex step if every operation between its parameters and its value is analytic.
np.abs, np.conj, norms, .real, casts and buffers of reals are not, and lose the imaginary part without a word,
perhaps in a term so small that no difference could show it. So a cost is run once on `Followed` arrays: what
they do not know they refuse, and a cost that runs to its end has been seen to be analytic from end to end
(comparisons and maxima go by the real part: they choose a branch, which is then analytic).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from fastgrad.parameters import Parameters, WorkingCopy


class NotAnalytic(TypeError):
    """An operation that is not analytic, or not known to be, was met."""


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


UFUNCS = _names("""
    add subtract multiply divide true_divide negative positive power float_power square sqrt reciprocal exp
    exp2 expm1 log log2 log10 log1p sin cos tan arcsin arccos arctan sinh cosh tanh arcsinh arccosh arctanh
    matmul matvec vecmat maximum minimum fmax fmin
""")
"""Functions of arrays that are analytic where they are smooth."""

BRANCHES = _names("greater greater_equal less less_equal equal not_equal isfinite isnan isinf")
"""Functions whose answer is true or false: nothing of a derivative goes through them."""

FUNCTIONS = _names("""
    sum mean dot inner outer tensordot einsum trace kron cross concatenate stack vstack hstack column_stack
    dstack reshape ravel transpose swapaxes moveaxis squeeze expand_dims broadcast_to broadcast_arrays
    atleast_1d atleast_2d repeat tile roll flip take where diff cumsum cumprod prod diag diagonal tril triu
    pad split array_split append delete insert max min amax amin convolve full_like zeros_like ones_like copy
    shape ndim size solve inv det matrix_power multi_dot fft ifft
""")
"""Functions of NumPy that only move entries, add and multiply them, or solve linear equations."""

METHODS = _names("""
    sum mean dot reshape ravel flatten transpose swapaxes squeeze copy prod cumsum cumprod take repeat trace
    diagonal max min
""")

PLAIN = _names("shape ndim size dtype nbytes itemsize")


class Followed(NDArrayOperatorsMixin):
    """A complex array that knows analytic operations only.

    Examples
    --------
    >>> x = Followed(np.array([1.0 + 1e-30j, 2.0]))
    >>> complex(np.sum(x**2).value).real
    5.0
    >>> np.abs(x)
    Traceback (most recent call last):
    fastgrad.analytic.NotAnalytic: np.absolute
    """

    __array_priority__ = 1000.0

    def __init__(self, value: Any) -> None:
        self.value = np.asarray(value)

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        """Nobody gets at the numbers unseen."""
        raise NotAnalytic("a conversion to a plain array")

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        """A function of arrays, if it is analytic."""
        name = ufunc.__name__
        known = name in UFUNCS | BRANCHES and method in ("__call__", "reduce", "accumulate", "outer")
        if not known or any(isinstance(out, np.ndarray) for out in kwargs.get("out", ())):
            raise NotAnalytic(f"np.{name}")
        found = getattr(ufunc, method)(*_values(inputs), **_values(kwargs))
        return found if name in BRANCHES else _followed(found)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        """A function of NumPy, if it is analytic."""
        del types
        if function.__name__ not in FUNCTIONS:
            raise NotAnalytic(f"np.{function.__name__}")
        return _followed(function(*_values(args), **_values(kwargs)))

    def __getattr__(self, name: str) -> Any:
        """A method or a property, if it is analytic."""
        if name in PLAIN:
            return getattr(self.value, name)
        if name == "T":
            return Followed(self.value.T)
        if name in METHODS:
            return self._method(name)
        if name.startswith("__"):
            raise AttributeError(name)  # how NumPy asks for what there is not
        raise NotAnalytic(f".{name}")

    def _method(self, name: str) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            return _followed(getattr(self.value, name)(*_values(args), **_values(kwargs)))

        return call

    def __getitem__(self, key: Any) -> Any:
        """Some of the entries."""
        return Followed(self.value[_values(key)])

    def __setitem__(self, key: Any, value: Any) -> None:
        """Entries of this very array: it is private, and stays complex."""
        self.value[_values(key)] = _values(value)

    def __len__(self) -> int:
        return len(self.value)

    def __iter__(self) -> Any:
        return (Followed(entry) for entry in self.value)

    def __bool__(self) -> bool:
        raise NotAnalytic("a truth value")

    def __float__(self) -> float:
        raise NotAnalytic("float()")

    def __complex__(self) -> complex:
        raise NotAnalytic("complex()")

    def __int__(self) -> int:
        raise NotAnalytic("int()")


def why_not_analytic(
    cost: Callable[..., Any], parameters: Parameters, args: tuple[Any, ...], vectorized: bool = False
) -> str:
    """What a cost does on the way to its value that is not analytic; empty if it was seen to be.

    Parameters
    ----------
    cost : callable(params, *args)
    parameters : Parameters
    args : whatever else it takes
    vectorized : whether it takes a batch: it is given one of a single point

    Examples
    --------
    >>> why_not_analytic(lambda x: np.sum(np.sin(x) ** 2), Parameters(np.ones(3)), ())
    ''
    >>> why_not_analytic(lambda x: np.linalg.norm(x), Parameters(np.ones(3)), ())
    'it uses np.norm, through which no complex step can be followed'
    """
    leaves = parameters.shaped(WorkingCopy(parameters, np.complex128).flat_leaves)
    structure = parameters.build([Followed(leaf[None] if vectorized else leaf) for leaf in leaves])
    try:
        with np.errstate(all="ignore"):
            found = cost(structure, *args)
    except NotAnalytic as error:
        return f"it uses {error}, through which no complex step can be followed"
    except Exception as error:  # a cost may do anything with an array that is none
        return f"it cannot be followed ({type(error).__name__})"
    return "" if isinstance(found, Followed) else "its value does not come from its parameters alone"


def _values(item: Any) -> Any:
    if isinstance(item, Followed):
        return item.value
    if isinstance(item, tuple | list):
        return type(item)(_values(entry) for entry in item)
    if isinstance(item, dict):
        return {key: _values(entry) for key, entry in item.items()}
    return item


def _followed(found: Any) -> Any:
    if isinstance(found, tuple | list):
        return type(found)(_followed(entry) for entry in found)
    return Followed(found) if isinstance(found, np.ndarray | np.generic) else found
