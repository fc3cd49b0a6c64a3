"""What all stages share: how the moved coordinates are evaluated, and what was calibrated.

`Coordinates` makes a `Setting` for each call of `measure`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from fastgrad.arrays import Evaluate, Floats, IndexArray
from fastgrad.coordinates.calibration import Calibration
from fastgrad.differences.steps import raised, representable
from fastgrad.index_sets import as_run
from fastgrad.problem.parameters import Parameters


@dataclass(frozen=True, eq=False)
class Setting:
    """What all stages share: how the moved coordinates are evaluated, and what was calibrated."""

    evaluate: Evaluate
    """In reals; values are counted from the engine's origin."""
    parameters: Parameters
    """Of what is moved."""
    calibration: Calibration
    f0: float
    """The cost at the parameters, counted as values are."""
    z: float
    """The quantile of all bounds."""
    room: Callable[[int], float]
    """For how many coordinates there is budget, at so many evaluations for each."""
    resolution: float
    """To what share of itself each derivative is to be seen."""
    epsilon: float
    """Machine epsilon of the cost's arithmetic: that of float32 where it computes in that."""

    def raised(self, indices: IndexArray, steps: Floats) -> Floats:
        """Steps (m,) of some coordinates, no smaller than rounding of the parameters allows."""
        steps = steps.copy()
        for number, where in self.parameters.segments(indices):
            x = self.parameters.leaves[number][as_run(indices[where] - self.parameters.blocks[number].start)]
            steps[where] = raised(steps[where], x)
        return steps

    def displacements(self, indices: IndexArray, offsets: Floats) -> Floats:
        """The displacements (m, S) that floating point makes of offsets (m, S)."""
        d = np.empty(offsets.shape)
        for number, where in self.parameters.segments(indices):
            block, leaf = self.parameters.blocks[number], self.parameters.leaves[number]
            d[where] = representable(leaf[as_run(indices[where] - block.start)], offsets[where])
        return d
