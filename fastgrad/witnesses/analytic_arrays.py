"""Arrays that take part in analytic operations only, and refuse all others.

The complex step gives the derivatives of a cost if every operation between its parameters and its value is
analytic. np.abs, np.conj, norms, .real, casts and buffers of real numbers are not. They drop the imaginary
part silently, perhaps in a term so small that no difference could show it. So the cost is called on
`Followed` arrays, which refuse every operation that is not on a list. A cost that returns a `Followed` value
is analytic throughout. (Comparisons and maxima go by the real part: they choose a branch, and the branch is
analytic.)

`strategy.ask_witnesses` calls `why_not_analytic`, and `complex_step` then calls `complex_derivatives`, which
gives (m,) derivatives.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.lib.mixins import NDArrayOperatorsMixin

from fastgrad.arrays import Floats, IndexArray, Values
from fastgrad.problem.working_copy import WorkingCopy
from fastgrad.witnesses.functions import Functions


class NotAnalytic(TypeError):
    """The cost used an operation that is not analytic, or not known to be."""


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


UFUNCS = _names("""
    add subtract multiply divide true_divide negative positive power float_power square sqrt reciprocal exp
    exp2 expm1 log log2 log10 log1p sin cos tan arcsin arccos arctan sinh cosh tanh arcsinh arccosh arctanh
    matmul matvec vecmat maximum minimum fmax fmin
""")
"""The ufuncs of NumPy that are analytic where they are smooth."""

BRANCHES = _names("greater greater_equal less less_equal equal not_equal isfinite isnan isinf")
"""The ufuncs that return true or false: no derivative passes through them."""

FUNCTIONS = _names("""
    sum mean dot inner outer tensordot einsum trace kron cross concatenate stack vstack hstack column_stack
    dstack reshape ravel transpose swapaxes moveaxis squeeze expand_dims broadcast_to broadcast_arrays
    atleast_1d atleast_2d repeat tile roll flip take where diff cumsum cumprod prod diag diagonal tril triu
    pad split array_split append delete insert max min amax amin convolve full_like zeros_like ones_like copy
    shape ndim size solve inv det matrix_power multi_dot fft ifft
""")
"""The other functions of NumPy that only move entries, add and multiply them, or solve linear equations."""

METHODS = _names("""
    sum mean dot reshape ravel flatten transpose swapaxes squeeze copy prod cumsum cumprod take repeat trace
    diagonal max min
""")
"""The methods of arrays that do the same."""

PLAIN = _names("shape ndim size dtype nbytes itemsize")
"""The properties of arrays that say nothing of the values."""


@dataclass
class Largest:
    """The largest imaginary part of all arrays that were computed from the same parameters."""

    value: float = 0.0

    def include(self, array: Values) -> None:
        """Take another array into account."""
        if np.iscomplexobj(array) and array.size:
            self.value = max(self.value, float(np.abs(array.imag).max()))


class Followed(NDArrayOperatorsMixin):
    """A complex array that takes part in analytic operations only.

    Parameters
    ----------
    value : the array
    largest : shared by all arrays that are computed from this one; None for a new one

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

    def __init__(self, value: npt.ArrayLike, largest: Largest | None = None) -> None:
        self.value = np.asarray(value)
        self.largest = Largest() if largest is None else largest
        self.largest.include(self.value)

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        """Refused: the numbers could be used in any way afterwards."""
        raise NotAnalytic("a conversion to a plain array")

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        """A ufunc, if it is analytic."""
        name = ufunc.__name__
        known = name in UFUNCS | BRANCHES and method in ("__call__", "reduce", "accumulate", "outer")
        if not known or any(isinstance(out, np.ndarray) for out in kwargs.get("out", ())):
            raise NotAnalytic(f"np.{name}")
        found = getattr(ufunc, method)(*_values(inputs), **_values(kwargs))
        return found if name in BRANCHES else _followed(found, self.largest)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        """Another function of NumPy, if it is analytic."""
        del types
        if function.__name__ not in FUNCTIONS:
            raise NotAnalytic(f"np.{function.__name__}")
        return _followed(function(*_values(args), **_values(kwargs)), self.largest)

    def __getattr__(self, name: str) -> Any:
        """A method or a property, if it is analytic."""
        if name in PLAIN:
            return getattr(self.value, name)
        if name == "T":
            return Followed(self.value.T, self.largest)
        if name in METHODS:
            return self._method(name)
        if name.startswith("__"):
            raise AttributeError(name)  # NumPy asks for protocols that an array may have
        raise NotAnalytic(f".{name}")

    def _method(self, name: str) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            return _followed(getattr(self.value, name)(*_values(args), **_values(kwargs)), self.largest)

        return call

    def __getitem__(self, key: Any) -> Any:
        """Some of the entries."""
        return Followed(self.value[_values(key)], self.largest)

    def __setitem__(self, key: Any, value: Any) -> None:
        """Assignment is allowed: the array is private and complex, so no imaginary part is lost."""
        self.value[_values(key)] = _values(value)

    def __len__(self) -> int:
        return len(self.value)

    def __iter__(self) -> Iterator[Followed]:
        return (Followed(entry, self.largest) for entry in self.value)

    def __bool__(self) -> bool:
        raise NotAnalytic("a truth value")

    def __float__(self) -> float:
        raise NotAnalytic("float()")

    def __complex__(self) -> complex:
        raise NotAnalytic("complex()")

    def __int__(self) -> int:
        raise NotAnalytic("int()")


def why_not_analytic(functions: Functions) -> str:
    """Which operation of a cost is not analytic, in words; empty if the whole cost was seen to be analytic.

    Examples
    --------
    >>> from fastgrad.problem.parameters import Parameters
    >>> from fastgrad.problem.problem import Problem
    >>> def functions(cost):
    ...     return Functions(Problem(cost, None, np.ones(3)), Parameters(np.ones(3)))
    >>> why_not_analytic(functions(lambda x: np.sum(np.sin(x) ** 2)))
    ''
    >>> why_not_analytic(functions(lambda x: np.linalg.norm(x)))
    'it uses np.norm, through which no complex step can be followed'
    """
    try:
        found = _followed_cost(functions, _complex_leaves(functions), Largest())
    except NotAnalytic as error:
        return f"it uses {error}, through which no complex step can be followed"
    except Exception as error:  # a cost may raise anything for what is not an array of NumPy
        return f"it cannot be followed ({type(error).__name__})"
    return "" if isinstance(found, Followed) else "its value does not come from its parameters alone"


def complex_derivatives(functions: Functions, indices: IndexArray, step: float) -> tuple[Floats, Floats]:
    """The derivatives by the complex step, and the largest derivative of any intermediate result.

    Where large terms of a derivative cancel, the second number is their size, and so gives the rounding error
    of the derivative.

    Parameters
    ----------
    functions : Functions, of which `why_not_analytic` said nothing
    indices : (m,) flat indices
    step : the imaginary step

    Returns
    -------
    (m,), (m,) arrays

    Examples
    --------
    >>> from fastgrad.problem.parameters import Parameters
    >>> from fastgrad.problem.problem import Problem
    >>> problem = Problem(lambda x: (x[0] + 1e6 * x[0]) - 1e6 * x[0], None, np.ones(1))
    >>> functions = Functions(problem, Parameters(np.ones(1)))
    >>> d, most = complex_derivatives(functions, np.array([0]), 1e-30)
    >>> round(float(d[0]), 6), round(float(most[0]))
    (1.0, 1000001)
    """
    parameters = functions.parameters
    found, sizes = np.empty(len(indices)), np.empty(len(indices))
    for k, (i, number) in enumerate(zip(indices, parameters.block_numbers(indices), strict=True)):
        leaves, largest = _complex_leaves(functions), Largest()
        leaves[number][i - parameters.blocks[number].start] += 1j * step
        value = _followed_cost(functions, leaves, largest)
        found[k], sizes[k] = float(value.value.reshape(-1)[0].imag) / step, largest.value / step
    return found, sizes


def _complex_leaves(functions: Functions) -> list[Values]:
    """A complex copy of the parameters, a flat array for each block."""
    return WorkingCopy(functions.parameters, np.complex128).flat_leaves


def _followed_cost(functions: Functions, leaves: list[Values], largest: Largest) -> Any:
    """What the cost returns for `Followed` parameters."""
    arrays = [Followed(leaf, largest) for leaf in functions.parameters.shaped(leaves)]
    with np.errstate(all="ignore"):
        return functions.cost(arrays)


def _values(item: Any) -> Any:
    """The arrays in place of the `Followed` ones, also inside tuples, lists and dicts."""
    if isinstance(item, Followed):
        return item.value
    if isinstance(item, tuple | list):
        return type(item)(_values(entry) for entry in item)
    if isinstance(item, dict):
        return {key: _values(entry) for key, entry in item.items()}
    return item


def _followed(found: Any, largest: Largest) -> Any:
    """Arrays and NumPy scalars as `Followed` ones, also inside tuples and lists."""
    if isinstance(found, tuple | list):
        return type(found)(_followed(entry, largest) for entry in found)
    return Followed(found, largest) if isinstance(found, np.ndarray | np.generic) else found
