"""The check that all vector checks come down to: that of one random combination of outputs.

Each of them brings J^T u, however it is computed, and gets the report of the gradient of w . F.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from fastgrad.arrays import Floats
from fastgrad.checks import check
from fastgrad.errors import InputError
from fastgrad.options import Options
from fastgrad.printable import shortened
from fastgrad.problem.describe import repr_of
from fastgrad.problem.parameters import Parameters
from fastgrad.problem.problem import Problem
from fastgrad.report.report import Report
from fastgrad.vector.combination import Claimed, Combination, random_weights
from fastgrad.vector.outputs import Function, Outputs


def require_callable(**given: Any) -> None:
    """Refuse what cannot be called, by its name."""
    for name, function in given.items():
        if not callable(function):
            raise InputError(f"the {name} must be callable; got {shortened(repr_of(function))}")


@dataclass(frozen=True, eq=False)
class VectorProblem:
    """F at the parameters.

    Parameters
    ----------
    function : F(params, *args) -> array, or a structure of arrays
    params, args : the user's
    seed : of the random combination
    """

    function: Function
    params: Any
    args: tuple[Any, ...]
    seed: int

    @classmethod
    def of(cls, function: Function, params: Any, args: tuple[Any, ...], options: Any) -> VectorProblem:
        """From what the user gave; an unknown option is refused before anything is called."""
        require_callable(function=function)
        return cls(function, params, args, Options.of(dict(options)).seed)

    @cached_property
    def parameters(self) -> Parameters:
        """x."""
        return Parameters(self.params)

    @cached_property
    def outputs(self) -> Outputs:
        """F(x)."""
        return Outputs.of(self.function(self.params, *self.args))

    @cached_property
    def weights(self) -> Floats:
        """(m,) w."""
        return random_weights(self.function, self.parameters, self.args, self.outputs, self.seed)

    def in_parameters(self, flat: Floats) -> Any:
        """Numbers (n,) in the structure of the parameters, as plain arrays."""
        blocks = self.parameters.blocks
        return self.parameters.build_arrays([flat[block.start : block.stop] for block in blocks])

    def gradient_problem(self, gradient: Any) -> Problem:
        """The gradient of w . F, claimed to be `gradient`: a function of (params, *args), or values."""
        return Problem(
            Combination(self.function, self.outputs, self.weights), gradient, self.params, self.args
        )

    def check(self, vjp: Callable[..., Any], options: Any) -> Report:
        """The report of the gradient of w . F, claimed to be vjp(params, w)."""
        return check(self.gradient_problem(Claimed(vjp, self.outputs, self.weights)), **options)
