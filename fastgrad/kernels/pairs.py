"""The loss of a compiled function that returns the pair (loss, gradient), as a compiled function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastgrad.kernels.jit import jit_uncached
from fastgrad.problem.naming import name_like


def half_of_pair(function: Callable[..., Any], half: int) -> Callable[..., Any]:
    """One half of what a Numba function returns, as a Numba function.

    Parameters
    ----------
    function : compiled by Numba, (params, *args) -> (loss, gradient)
    half : 0 for the loss, 1 for the gradient
    """

    def loss(params, *args):  # type: ignore[no-untyped-def]
        return function(params, *args)[0]

    def gradient(params, *args):  # type: ignore[no-untyped-def]
        return function(params, *args)[1]

    chosen = (loss, gradient)[half]
    name_like(chosen, function)
    return jit_uncached(chosen)
