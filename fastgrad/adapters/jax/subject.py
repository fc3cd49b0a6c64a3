"""What is checked: a function of real arrays in a list, which stands for the user's function of pytrees.

The user's function is called with the pytree that these arrays make, and its outputs are taken apart in the
same way. So complex numbers are pairs of real ones to every check, and the order of derivatives can be raised
by taking jax.jvp or jax.vjp of such a function.

Data are the arrays among the user's args. They are operands of what is compiled: as constants they would be
copied into it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from fastgrad.adapters.jax.precision import in_double, is_inexact, is_x64, x64
from fastgrad.adapters.jax.pytree import Pytree, as_real, require_no_tracer
from fastgrad.arrays import Floats

Arrays = Sequence[Any]
"""Arrays of jax, which may be traced."""


@dataclass(frozen=True, eq=False)
class Subject:
    """A function of real arrays, and the point at which its derivatives are checked."""

    function: Callable[[Arrays, Arrays], list[Any]]
    """function(arrays, data) -> real arrays: those outputs that have derivatives."""
    names: tuple[str, ...]
    dtypes: tuple[str, ...]
    """The precision of each array as the user gave it."""
    values: tuple[Floats, ...]
    data: tuple[Any, ...]
    """In the user's precision."""
    x64: bool
    """Whether jax was set to float64 by the user."""
    notes: tuple[str, ...] = ()

    @property
    def is_double(self) -> bool:
        """Whether all is in float64 as the user gave it."""
        return all(dtype == "float64" for dtype in self.dtypes)

    def context(self, double: bool) -> Any:
        """The setting of jax in which the function is called."""
        return x64(double or self.x64)

    def arrays(self, values: Sequence[Floats], double: bool) -> list[Any]:
        """Numbers as arrays of jax, in float64 or in the user's precision; inside of `context`.

        They are copies, since jax may alias what it is given, and fastgrad moves its arrays in place.
        """
        dtypes = ["float64"] * len(self.dtypes) if double else self.dtypes
        return [jnp.array(v, dtype=dtype) for v, dtype in zip(values, dtypes, strict=True)]

    def data_in(self, double: bool) -> list[Any]:
        """The data in float64, or as they were given; inside of `context`."""
        return list(self._in_double if double else self.data)

    @cached_property
    def _in_double(self) -> list[Any]:
        return [in_double(array) for array in self.data]

    def outputs(self, double: bool) -> list[Any]:
        """The outputs at the point, by a plain call."""
        with self.context(double):
            return self.function(self.arrays(self.values, double), self.data_in(double))


@dataclass(frozen=True, eq=False)
class Call:
    """Calls a function of the user's as function(params, *args), with other numbers in both.

    Parameters
    ----------
    params : Pytree
    args : whatever else it takes; arrays among them may be replaced by `data`
    """

    params: Pytree
    args: tuple[Any, ...]

    def __post_init__(self) -> None:
        require_no_tracer(self.args, "args")

    @property
    def data(self) -> tuple[Any, ...]:
        """The arrays among the args, as arrays of jax."""
        return tuple(jnp.asarray(leaf) for leaf in jax.tree_util.tree_leaves(self.args) if _is_data(leaf))

    def __call__(self, function: Callable[..., Any], arrays: Arrays, data: Arrays) -> Any:
        """What the function returns."""
        leaves, treedef = jax.tree_util.tree_flatten(self.args)
        given = iter(data)
        args = [next(given) if _is_data(leaf) else leaf for leaf in leaves]
        return function(self.params.build(arrays), *jax.tree_util.tree_unflatten(treedef, args))

    def subject(self, function: Callable[..., Any]) -> Subject:
        """The subject of a function, whose outputs may be any pytree."""

        def of_arrays(arrays: Arrays, data: Arrays) -> list[Any]:
            found = [jnp.asarray(leaf) for leaf in jax.tree_util.tree_leaves(self(function, arrays, data))]
            return [as_real(leaf) for leaf in found if is_inexact(leaf)]

        params = self.params
        return Subject(
            of_arrays, params.names, params.dtypes, params.values, self.data, is_x64(), params.notes
        )


def _is_data(leaf: Any) -> bool:
    """Whether an argument is an array of numbers with axes; a number may be a size, and stays itself."""
    if not isinstance(leaf, jax.Array | np.ndarray) or np.ndim(leaf) == 0:
        return False
    return bool(jnp.issubdtype(leaf.dtype, jnp.number) or leaf.dtype == np.bool_)
