"""The description of a check: the problem, its parameters as blocks, and the options.

`checks` makes one `Specification` from what the user gave. Every later stage is handed it, and none changes
it. The functions of its problem take plain arrays in the user's structure, whatever kinds of parameters the
user's own functions take.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from fastgrad.differences.stencils import Stencil, find_stencil
from fastgrad.errors import InputError
from fastgrad.options import Options, check_seed
from fastgrad.problem.as_given import as_given
from fastgrad.problem.parameters import Parameters
from fastgrad.problem.problem import Problem


@dataclass(frozen=True, eq=False)
class Specification:
    """What is checked, and how.

    Examples
    --------
    >>> spec = Specification.of(Problem(lambda x: x**2, None, 3.0), {"method": "forward"})
    >>> spec.stencil.name, spec.parameters.size
    ('forward', 1)
    """

    problem: Problem
    options: Options
    parameters: Parameters

    @classmethod
    def of(cls, problem: Problem, options: Mapping[str, Any]) -> Specification:
        """From a problem and the keywords of `check_gradient`.

        Raises
        ------
        TypeError
            For an unknown keyword.
        InputError
            For an option or parameters that cannot be used; the message says what to try.
        """
        chosen = Options.of(dict(options))
        check_seed(chosen.seed)
        parameters = Parameters(problem.params)
        _refuse_complex_step(chosen.method, parameters)
        cost, gradient = as_given(problem.cost, parameters, chosen.vectorized), problem.gradient
        if callable(gradient):
            gradient = as_given(gradient, parameters)
        if cost is not problem.cost or gradient is not problem.gradient:
            problem = replace(problem, cost=cost, gradient=gradient)
        return cls(problem, chosen, parameters)

    @cached_property
    def stencil(self) -> Stencil:
        """The difference formula that the options name."""
        return find_stencil(self.options.method)


def _refuse_complex_step(method: str, parameters: Parameters) -> None:
    """Refuse method="complex" for complex parameters: it moves real ones along the imaginary axis."""
    if not find_stencil(method).is_complex:
        return
    for block in parameters.blocks:
        if block.form is not None and block.form.is_complex:
            raise InputError(
                f'method="complex" moves real parameters along the imaginary axis, and {block.shown} is '
                'complex: use method="central"',
                code="FG232",
            )
