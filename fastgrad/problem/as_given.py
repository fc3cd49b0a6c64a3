"""A function of the user's, called with the kinds of parameters that the user gave.

Inside, parameters are plain arrays in the user's structure. `Specification` wraps the cost and the gradient
function of a problem by `as_given` where a leaf was anything else; all stages then call these with plain
arrays. Where all leaves are plain arrays the functions stay as they are, and a call costs nothing more.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import optree

from fastgrad.errors import InputError
from fastgrad.problem.kinds.form import Form, Rebuild, plain_array
from fastgrad.problem.naming import copy_for_worker, name_like
from fastgrad.problem.parameters import Parameters


def as_given(
    function: Callable[..., Any], parameters: Parameters, is_batch: bool = False
) -> Callable[..., Any]:
    """The function, so that it takes plain arrays and is called with the kinds of the parameters.

    A function that Numba compiled takes an array without axes as it takes a number: it stays as it is where
    no other kind is among the parameters.

    Parameters
    ----------
    function : callable(params, *args)
    parameters : Parameters
    is_batch : whether it takes a batch, in which each array has one more axis in front

    Raises
    ------
    InputError
        For a batch of a kind of which there is none.

    Examples
    --------
    >>> cost = as_given(lambda x: f"{x}", Parameters([1.0, 2.0]))
    >>> cost(np.array([3.0, 4.0]))
    '[3.0, 4.0]'
    """
    forms = [block.form for block in parameters.blocks]
    if all(form is None or (form.is_number and is_compiled(function)) for form in forms):
        return function
    rebuilds = tuple(
        _rebuild(block.form, f"parameter {block.shown}", is_batch) for block in parameters.blocks
    )
    if all(rebuild is None for rebuild in rebuilds):
        return function
    kinds = [form.kind for form in forms if form is not None]
    return AsGiven(function, parameters.spec, rebuilds, kinds[0])


def is_compiled(function: object) -> bool:
    """Whether a function looks like one that Numba compiled; answered without Numba."""
    return hasattr(function, "py_func") and hasattr(function, "signatures")


@dataclass(frozen=True, eq=False)
class AsGiven:
    """A function that takes plain arrays, and calls the user's function with the kinds that the user gave.

    Parameters
    ----------
    function : the user's, callable(params, *args)
    spec : of the user's structure
    rebuilds : what makes each leaf of an array; None where it stays an array
    kind : the first kind that is no plain array, in words
    """

    function: Callable[..., Any]
    spec: optree.PyTreeSpec
    rebuilds: tuple[Rebuild | None, ...]
    kind: str

    def __post_init__(self) -> None:
        name_like(self, self.function)

    def __call__(self, structure: Any, *args: Any) -> Any:
        """What the user's function returns for these parameters.

        Parameters
        ----------
        structure : the user's, with a plain array for each leaf
        args : what the function takes beside them
        """
        leaves = self.spec.flatten_up_to(structure)
        made = [
            leaf if rebuild is None else rebuild(leaf)
            for leaf, rebuild in zip(leaves, self.rebuilds, strict=True)
        ]
        return self.function(optree.tree_unflatten(self.spec, made), *args)

    def for_worker(self) -> AsGiven:
        """The same, with its own copy of a function that keeps state."""
        return replace(self, function=copy_for_worker(self.function))


def _rebuild(form: Form | None, what: str, is_batch: bool) -> Rebuild | None:
    if form is None or form.rebuild is plain_array or (is_batch and form.batch_is_array):
        return None
    if is_batch and not form.takes_batch:
        raise InputError(
            f"{what} is {form.kind}, and with vectorized=True the cost gets many of them in one array: pass "
            "np.asarray(...) of it",
            code="FG222",
        )
    return form.rebuild if form.follows else _OfArray(form.rebuild)


@dataclass(frozen=True, eq=False)
class _OfArray:
    """A rebuild that refuses what is not an array: the arrays that follow operations for the complex step."""

    rebuild: Rebuild

    def __call__(self, array: Any) -> Any:
        if not isinstance(array, np.ndarray):
            raise TypeError(f"not an array: {type(array).__name__}")
        return self.rebuild(array)
