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

from fastgrad.arrays import Floats, IndexArray
from fastgrad.problem.parameters import Parameters
from fastgrad.problem.working_copy import WorkingCopy


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
    fastgrad.witnesses.analytic_arrays.NotAnalytic: np.absolute
    """

    __array_priority__ = 1000.0

    def __init__(self, value: Any, seen: list[float] | None = None) -> None:
        self.value = np.asarray(value)
        self.seen = (
            [0.0] if seen is None else seen
        )  # the largest imaginary part so far, of all that belongs together
        if np.iscomplexobj(self.value) and self.value.size:
            self.seen[0] = max(self.seen[0], float(np.abs(self.value.imag).max()))

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
        return found if name in BRANCHES else _followed(found, self.seen)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        """A function of NumPy, if it is analytic."""
        del types
        if function.__name__ not in FUNCTIONS:
            raise NotAnalytic(f"np.{function.__name__}")
        return _followed(function(*_values(args), **_values(kwargs)), self.seen)

    def __getattr__(self, name: str) -> Any:
        """A method or a property, if it is analytic."""
        if name in PLAIN:
            return getattr(self.value, name)
        if name == "T":
            return Followed(self.value.T, self.seen)
        if name in METHODS:
            return self._method(name)
        if name.startswith("__"):
            raise AttributeError(name)  # how NumPy asks for what there is not
        raise NotAnalytic(f".{name}")

    def _method(self, name: str) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            return _followed(getattr(self.value, name)(*_values(args), **_values(kwargs)), self.seen)

        return call

    def __getitem__(self, key: Any) -> Any:
        """Some of the entries."""
        return Followed(self.value[_values(key)], self.seen)

    def __setitem__(self, key: Any, value: Any) -> None:
        """Entries of this very array: it is private, and stays complex."""
        self.value[_values(key)] = _values(value)

    def __len__(self) -> int:
        return len(self.value)

    def __iter__(self) -> Any:
        return (Followed(entry, self.seen) for entry in self.value)

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
    try:
        found = _run(cost, parameters, args, vectorized, [0.0])
    except NotAnalytic as error:
        return f"it uses {error}, through which no complex step can be followed"
    except Exception as error:  # a cost may do anything with an array that is none
        return f"it cannot be followed ({type(error).__name__})"
    return "" if isinstance(found, Followed) else "its value does not come from its parameters alone"


def complex_derivatives(
    cost: Callable[..., Any],
    parameters: Parameters,
    args: tuple[Any, ...],
    indices: IndexArray,
    step: float,
    vectorized: bool = False,
) -> tuple[Floats, Floats]:
    """The derivatives by the complex step, and the largest that any intermediate result had on the way.

    Where a derivative is what is left of large ones that cancel, the second number says how large they were,
    and so what it lost to rounding.

    Parameters
    ----------
    cost, parameters, args : as for why_not_analytic, which found nothing against it
    indices : (m,) flat indices
    step : of the imaginary part
    vectorized : as for why_not_analytic

    Examples
    --------
    >>> def cost(x):
    ...     return (x[0] + 1e6 * x[0]) - 1e6 * x[0]
    >>> d, most = complex_derivatives(cost, Parameters(np.ones(1)), (), np.array([0]), 1e-30)
    >>> round(float(d[0]), 6), round(float(most[0]))
    (1.0, 1000001)
    """
    found, largest = np.empty(len(indices)), np.empty(len(indices))
    for k, i in enumerate(indices):
        seen = [0.0]
        value = _run(cost, parameters, args, vectorized, seen, int(i), step)
        found[k], largest[k] = float(value.value.reshape(-1)[0].imag) / step, seen[0] / step
    return found, largest


def _run(
    cost: Callable[..., Any],
    parameters: Parameters,
    args: tuple[Any, ...],
    vectorized: bool,
    seen: list[float],
    index: int | None = None,
    step: float = 0.0,
) -> Any:
    """The cost on followed parameters, one of them moved by an imaginary step."""
    flat = WorkingCopy(parameters, np.complex128).flat_leaves
    if index is not None:
        number = int(parameters.block_numbers(np.asarray([index]))[0])
        flat[number][index - parameters.blocks[number].start] += 1j * step
    leaves = [leaf[None] if vectorized else leaf for leaf in parameters.shaped(flat)]
    with np.errstate(all="ignore"):
        return cost(parameters.build([Followed(leaf, seen) for leaf in leaves]), *args)


def _values(item: Any) -> Any:
    if isinstance(item, Followed):
        return item.value
    if isinstance(item, tuple | list):
        return type(item)(_values(entry) for entry in item)
    if isinstance(item, dict):
        return {key: _values(entry) for key, entry in item.items()}
    return item


def _followed(found: Any, seen: list[float]) -> Any:
    if isinstance(found, tuple | list):
        return type(found)(_followed(entry, seen) for entry in found)
    return Followed(found, seen) if isinstance(found, np.ndarray | np.generic) else found
