"""check_vjp and check_jvp: products of a Jacobian with a vector, as reverse and forward mode compute them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Unpack

import numpy as np

from fastgrad.arrays import Floats
from fastgrad.checks import check
from fastgrad.options import CheckOptions, takes_options
from fastgrad.problem.calls import calls_explained
from fastgrad.problem.naming import name_like
from fastgrad.problem.problem import Problem
from fastgrad.report.report import Report
from fastgrad.vector.claim_check import check_claim
from fastgrad.vector.claims import Product, TransposedProduct
from fastgrad.vector.combination import Combination
from fastgrad.vector.outputs import Function, in_structure
from fastgrad.vector.projection import VectorProblem, require_callable

EACH_COLUMN = 256
"""Up to so many parameters each column of the Jacobian is asked of a jvp by itself; of more, DIRECTIONS."""

DIRECTIONS = 20
"""Random directions along which a jvp of more parameters is checked: an error in one column shows in each."""


@takes_options
def check_vjp(
    function: Function,
    vjp: Callable[..., Any],
    params: Any,
    *,
    args: tuple[Any, ...] = (),
    **options: Unpack[CheckOptions],
) -> Report:
    """Check a vector-Jacobian product against finite differences of the function.

    Parameters
    ----------
    function : callable(params, *args) -> array of any shape, or a structure of arrays: the outputs
    vjp : callable(params, u, *args) -> J^T u in the structure of params, for u in that of the outputs
    params : as for check_gradient
    args : whatever else both take, as a tuple
    options : each a keyword of its own

    Returns
    -------
    Report
        Of the gradient of w . function(params) for one random w (drawn by `seed`), whose claimed value is
        vjp(params, w).

    Raises
    ------
    InputError
        When the function or the product cannot be checked as it was given; the message says what to try.

    Examples
    --------
    >>> import numpy as np
    >>> check_vjp(np.tanh, lambda x, u: u * (1 - np.tanh(x) ** 2), np.arange(4.0)).verdict
    'agree'
    >>> check_vjp(np.tanh, lambda x, u: u * (1 - np.tanh(x)), np.arange(4.0)).verdict
    'disagree'
    """
    require_callable(vjp=vjp)
    with calls_explained(args, function=function), calls_explained(args, "u", vjp=vjp):
        return check_claim(TransposedProduct(vjp, VectorProblem.of(function, params, args, options)), options)


@takes_options
def check_jvp(
    function: Function,
    jvp: Callable[..., Any],
    params: Any,
    *,
    args: tuple[Any, ...] = (),
    **options: Unpack[CheckOptions],
) -> Report:
    """Check a Jacobian-vector product, as forward mode computes it, against finite differences.

    Parameters
    ----------
    function : callable(params, *args) -> array of any shape, or a structure of arrays: the outputs
    jvp : callable(params, v, *args) -> J v in the structure of the outputs, for v in the structure of params
    params : as for check_gradient
    args : whatever else both take, as a tuple
    options : each a keyword of its own

    Returns
    -------
    Report
        Of the gradient of w . function(params) for one random w. Up to EACH_COLUMN parameters each entry is
        w . jvp(params, e_i). Of more parameters the coordinates are DIRECTIONS random directions v_j, and
        each entry is w . jvp(params, v_j).

    Raises
    ------
    InputError
        When the function or the product cannot be checked as it was given; the message says what to try.

    Examples
    --------
    >>> import numpy as np
    >>> check_jvp(np.sin, lambda x, v: v * np.cos(x), np.arange(4.0)).verdict
    'agree'
    """
    require_callable(jvp=jvp)
    with calls_explained(args, function=function), calls_explained(args, "v", jvp=jvp):
        vector = VectorProblem.of(function, params, args, options)
        if vector.parameters.size <= EACH_COLUMN:
            return check_claim(Product(jvp, vector), options)
        along = _Along.random(vector)
        problem = Problem(along, _AlongClaimed(jvp, along), {"direction": np.zeros(DIRECTIONS)}, args)
        return check(problem, **options)


@dataclass(frozen=True, eq=False)
class _Along:
    """w . F(x + sum_j t_j v_j), a cost of t.

    Each v_j moves each parameter by its own size, up or down: t is in units of the parameters.
    """

    vector: VectorProblem
    cost: Combination
    directions: Floats
    """(DIRECTIONS, n) v."""

    def __post_init__(self) -> None:
        name_like(self, self.vector.function)

    @classmethod
    def random(cls, vector: VectorProblem) -> _Along:
        """Along random directions."""
        rng = np.random.default_rng([vector.options.seed, 0x6A7670])
        sizes = vector.moved.sizes
        v = rng.choice([-1.0, 1.0], (DIRECTIONS, len(sizes))) * sizes
        return cls(vector, Combination(vector.function, vector.outputs, vector.weights), v)

    def point(self, t: Any) -> Any:
        """x + sum_j t_j v_j, in the user's structure."""
        parameters = self.vector.parameters
        x = np.concatenate([leaf.astype(np.float64) for leaf in parameters.leaves])
        return in_structure(
            parameters.spec, parameters.blocks, x + np.asarray(t["direction"]) @ self.directions
        )

    def __call__(self, t: Any, *args: Any) -> Any:
        return self.cost(self.point(t), *args)


@dataclass(frozen=True, eq=False)
class _AlongClaimed:
    """The gradient of `_Along` as the jvp has it: w . jvp(x + sum_j t_j v_j, v_j)."""

    jvp: Callable[..., Any]
    along: _Along

    def __post_init__(self) -> None:
        name_like(self, self.jvp)

    def __call__(self, t: Any, *args: Any) -> Any:
        vector, point = self.along.vector, self.along.point(t)
        spec, blocks = vector.parameters.spec, vector.parameters.blocks
        columns = (self.jvp(point, in_structure(spec, blocks, v), *args) for v in self.along.directions)
        return {"direction": np.array([vector.weights @ vector.outputs.flat(column) for column in columns])}
