"""The tolerances of torch's gradcheck, where somebody gives other ones than torch's own.

A gradient that is wrong by design, as of an approximation, passes torch's check with wide tolerances. The
columns that a report finds wrong or undecided are then looked at once more, entry by entry, by torch's rule:

    |claimed - numeric| <= atol + rtol |numeric|        numeric = (F(x + eps) - F(x - eps)) / 2 eps
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fastgrad.adapters.torch.tensor_function import TensorFunction
from fastgrad.arrays import Floats, IndexArray
from fastgrad.problem.parameters import Parameters
from fastgrad.report.report import Report

DEFAULTS = (1e-5, 1e-3)
"""torch's atol and rtol: they are no wish of anybody's."""

MOST = 2**24
"""Entries up to which columns are looked at once more."""


@dataclass(frozen=True)
class Tolerances:
    """What somebody lets pass.

    Parameters
    ----------
    atol, rtol : as torch has them
    eps : the step
    """

    atol: float
    rtol: float
    eps: float

    def allow(self, function: TensorFunction, report: Report) -> bool:
        """Whether all that a report does not let pass is within tolerances that were given.

        Parameters
        ----------
        function : what was checked
        report : of the check
        """
        if (self.atol, self.rtol) == DEFAULTS or report.doubt or report.stopped:
            return False
        parameters = Parameters(function.at)
        columns = [one.flat_index for some in (report.wrong, report.undecided) for one in some]
        if not columns:
            columns = list(range(parameters.size))
        columns = sorted(set(columns))
        outputs = function(function.at)
        count = sum(y.size for y in outputs.values())
        if len(columns) * count > MOST:
            return False
        claimed = _rows(function, outputs, parameters, np.array(columns))
        numeric = np.stack([self._column(function, parameters, one) for one in columns], axis=1)
        return bool((np.abs(claimed - numeric) <= self.atol + self.rtol * np.abs(numeric)).all())

    def _column(self, function: TensorFunction, parameters: Parameters, column: int) -> Floats:
        """(m,) one column of the Jacobian."""
        found = []
        for by in (self.eps, -self.eps):
            leaves = [leaf.copy() for leaf in parameters.leaves]
            block = parameters.block_of(column)
            leaves[parameters.blocks.index(block)][column - block.start] += by
            found.append(_flat(function(parameters.build_arrays(leaves))))
        return np.asarray((found[0] - found[1]) / (2 * self.eps))


def _rows(
    function: TensorFunction, outputs: dict[str, Floats], parameters: Parameters, columns: IndexArray
) -> Floats:
    """(m, columns) what autograd gives, a backward pass for each output."""
    found = []
    for name, y in outputs.items():
        for k in range(y.size):
            u = {other: np.zeros(z.shape) for other, z in outputs.items()}
            u[name].reshape(-1)[k] = 1.0
            leaves = parameters.match(function.vjp(function.at, u), "gradient")
            found.append(parameters.take(leaves, columns))
    return np.array(found)


def _flat(outputs: dict[str, Floats]) -> Floats:
    return np.concatenate([y.reshape(-1).astype(np.float64) for y in outputs.values()])
