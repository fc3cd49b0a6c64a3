"""The problem that all vector checks come down to: the gradient of one random combination of outputs.

Each of them brings a `Claim`, which knows J^T u in its own way, and `check_claim` in `claim_check.py` makes
the report.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from fastgrad.arrays import Floats
from fastgrad.errors import InputError
from fastgrad.options import Options
from fastgrad.printable import shortened
from fastgrad.problem.as_given import as_given
from fastgrad.problem.columns import Columns
from fastgrad.problem.describe import repr_of
from fastgrad.problem.parameters import Parameters
from fastgrad.problem.problem import Problem
from fastgrad.vector.combination import Combination, random_weights
from fastgrad.vector.function import FlatFunction, MovedFunction
from fastgrad.vector.groups import Groups
from fastgrad.vector.guard import outside
from fastgrad.vector.missing import extended, missing_entries
from fastgrad.vector.outputs import Function, Outputs

EXTENDED = 3
"""How often a pattern is tried, the second time with the entries that were missing from it."""


def require_callable(**given: Any) -> None:
    """Refuse what cannot be called, by its name."""
    for name, function in given.items():
        if not callable(function):
            raise InputError(f"the {name} must be callable; got {shortened(repr_of(function))}", code="FG201")


@dataclass(frozen=True, eq=False)
class VectorProblem:
    """F at the parameters.

    Parameters
    ----------
    function : F(params, *args) -> array, or a structure of arrays
    params, args : the user's
    options : of the check
    """

    function: Function
    params: Any
    args: tuple[Any, ...]
    options: Options

    @classmethod
    def of(
        cls, function: Function, params: Any, args: tuple[Any, ...], options: Mapping[str, Any]
    ) -> VectorProblem:
        """From what the user gave; an unknown option is refused before anything is called."""
        chosen = Options.of(dict(options))
        require_callable(function=function)
        if chosen.vectorized:
            raise InputError(
                "vectorized= is about a cost that takes a batch; a vector function takes one point",
                code="FG224",
            )
        return cls(function, params, args, chosen)

    @cached_property
    def parameters(self) -> Parameters:
        """x."""
        parameters = Parameters(self.params)
        for block in parameters.blocks:
            if block.form is not None and block.form.is_complex:
                raise InputError(
                    f"parameter {block.shown} is complex, of which only gradients of real costs are checked: "
                    "pass its real and imaginary parts as two blocks",
                    code="FG706",
                )
        return parameters

    def private(self) -> Any:
        """A copy of the parameters as plain arrays, for functions wrapped by `as_given`."""
        return self.parameters.build_arrays([leaf.copy() for leaf in self.parameters.leaves])

    @cached_property
    def outputs(self) -> Outputs:
        """F(x)."""
        return Outputs.of(as_given(self.function, self.parameters)(self.private(), *self.args))

    @cached_property
    def moved(self) -> MovedFunction:
        """F at moved parameters."""
        return MovedFunction(self.function, self.parameters, self.args, self.outputs)

    @cached_property
    def weights(self) -> Floats:
        """(m,) w."""
        return random_weights(self.moved, self.options.seed)

    def in_parameters(self, flat: Floats) -> Any:
        """Numbers (n,) in the structure of the parameters, as plain arrays."""
        blocks = self.parameters.blocks
        return self.parameters.build_arrays([flat[block.start : block.stop] for block in blocks])

    def problem(self, gradient: Any, columns: Columns | None = None) -> Problem:
        """The gradient of w . F, claimed to be `gradient`: a function of (params, *args), or values."""
        cost = Combination(self.function, self.outputs, self.weights)
        structure = getattr(self.function, "structure", None) if columns is None else columns
        return Problem(cost, gradient, self.params, self.args, structure)

    def groups(self, pattern: Any) -> Groups | None:
        """Groups of columns of a pattern, with what F itself has beyond it.

        None where there is no pattern, or where F moves in another way.
        """
        groups = None if pattern is None else Groups.of(pattern)
        for _ in range(EXTENDED):
            if groups is None:
                return None
            beyond = np.flatnonzero(outside(groups, self.moved, self.options.seed))
            if not len(beyond):
                return groups
            entries = missing_entries(groups.pattern, self.moved, beyond)
            groups = Groups.of(extended(groups.pattern, entries)) if entries else None
        return None

    def columns(self, groups: Groups) -> Columns:
        """How w . F is evaluated by groups of columns."""
        weights = groups.weighted(self.weights)
        largest = float((abs(weights) @ np.abs(self.outputs.values)).max()) or 1.0
        function, sizes = FlatFunction(self.function, self.outputs), np.bincount(groups.numbers)
        return Columns(function, weights, groups.numbers, sizes, largest)
