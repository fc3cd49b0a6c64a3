"""The description of a check: the problem, its parameters as blocks, and the options.

`checks` makes one `Specification` from what the user gave. Every later stage is handed it, and none changes
it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from fastgrad.differences.stencils import Stencil, find_stencil
from fastgrad.options import Options, check_seed
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
        return cls(problem, chosen, Parameters(problem.params))

    @cached_property
    def stencil(self) -> Stencil:
        """The difference formula that the options name."""
        return find_stencil(self.options.method)
