"""The user's cost and gradient function, called at parameters that a witness makes.

`strategy.ask_witnesses` makes the `Functions` of a check; the complex step and the path integral call them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from fastgrad.arrays import FloatArray
from fastgrad.problem.parameters import Parameters
from fastgrad.problem.problem import Problem


@dataclass(eq=False)
class Functions:
    """The cost and the gradient function of a problem.

    Parameters
    ----------
    problem : Problem
    parameters : Parameters
    vectorized : whether the cost takes a batch of points; it is then given one point

    Examples
    --------
    >>> import numpy as np
    >>> x = np.ones(2)
    >>> functions = Functions(Problem(lambda x: float(x @ x), lambda x: 2 * x, x), Parameters(x))
    >>> functions.cost([np.array([3.0, 4.0])])
    25.0
    """

    problem: Problem
    parameters: Parameters
    vectorized: bool = False
    evaluations: int = field(init=False, default=0)
    """How often the cost was called."""

    def cost(self, arrays: Sequence[Any]) -> Any:
        """What the cost returns, which is a batch of one value for a vectorized cost.

        Parameters
        ----------
        arrays : the parameters, an array for each block in the block's shape
        """
        self.evaluations += 1
        leaves = [array[None] for array in arrays] if self.vectorized else arrays
        return self.problem.cost(self.parameters.build(leaves), *self.problem.args)

    def gradient(self, arrays: Sequence[FloatArray]) -> list[FloatArray]:
        """The claimed gradient at other parameters, a flat array for each block.

        Parameters
        ----------
        arrays : the parameters, an array for each block in the block's shape
        """
        found = self.problem.gradient(self.parameters.build(arrays), *self.problem.args)
        return self.parameters.match(found, "gradient")
