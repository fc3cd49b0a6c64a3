"""A cost that returns the pair (loss, gradient), as functions for value_and_gradient do.

`checks` calls `with_loss_alone` where the first evaluation of the cost gave a pair, and `gradient` calls
`with_halves` where the user says gradient=True. Every later stage sees a cost that returns a number.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from fastgrad.engines.choose import is_numba_function
from fastgrad.engines.numbers import PairReturnedError
from fastgrad.errors import InputError
from fastgrad.problem.describe import describe
from fastgrad.problem.working_copy import WorkingCopy
from fastgrad.problem.wrapped import HalfOfPair
from fastgrad.specification import Specification

FIRST_TAKEN = "the cost returns a pair (loss, gradient): the first is taken as the cost"


def with_loss_alone(spec: Specification, returned: PairReturnedError) -> Specification:
    """The specification with a cost that returns the first of each pair.

    Parameters
    ----------
    spec : Specification
    returned : with the pair that the cost returned

    Raises
    ------
    InputError
        Where the second entry is not a gradient of the parameters: what the first one is, is then not known.
    """
    problem, pair = spec.problem, returned.pair
    if spec.stencil.is_complex:  # its gradient is complex too
        pair = problem.cost(WorkingCopy(spec.parameters).structure, *problem.args)
    try:
        spec.parameters.match(pair[1], "gradient")
    except InputError as error:
        raise InputError(
            f"the cost must return one number; got a pair, a number and {describe(pair[1])}, which "
            "is not its gradient. Return the first alone, or say lambda *given: cost(*given)[0]",
            code="FG204",
        ) from error
    return replace(spec, problem=replace(problem, cost=half_of(problem.cost, 0)))


def with_halves(spec: Specification) -> Specification:
    """The specification with cost and gradient from the pairs that the cost returns, for gradient=True.

    Raises
    ------
    InputError
        For a vectorized cost, which takes a batch where a gradient function takes one point.
    """
    if spec.options.vectorized:
        raise InputError(
            "gradient=True says that the cost returns (loss, gradient), which a vectorized cost cannot: pass "
            "the gradient as a function of its own",
            code="FG211",
        )
    both = spec.problem.cost
    return replace(spec, problem=replace(spec.problem, cost=half_of(both, 0), gradient=half_of(both, 1)))


def half_of(function: Callable[..., Any], half: int) -> Callable[..., Any]:
    """The loss (half 0), or the gradient (half 1), of a function that returns (loss, gradient).

    Parameters
    ----------
    function : callable(params, *args) -> (loss, gradient), of Python or compiled by Numba
    half : 0 or 1
    """
    if is_numba_function(function):
        from fastgrad.kernels.pairs import half_of_pair

        return half_of_pair(function, half)
    return HalfOfPair(function, half)
