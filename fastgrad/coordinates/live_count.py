"""How many coordinates agree so far, while their first values come in: what a waiting user is told.

By the screen's rule alone, on the scale of the claimed gradient: what is told to be wrong or undecided here
goes through all stages before it is called so.
"""

from __future__ import annotations

import numpy as np

from fastgrad.arrays import Values, root_mean_square
from fastgrad.coordinates.stages import Stages
from fastgrad.differences.plan import Plan
from fastgrad.execution.progress import Progress
from fastgrad.problem.claim import ClaimedValues
from fastgrad.problem.parameters import Parameters
from fastgrad.verdict.rule import FLOOR, TAU


class LiveCount:
    """Counts what chunks of a plan show beside the claim, and tells the tally.

    Parameters
    ----------
    stages : Stages
    plan : of the coordinates that are claimed
    claim : Claim at these
    parameters : Parameters
    tally : Tally
    """

    def __init__(
        self, stages: Stages, plan: Plan, claim: ClaimedValues, parameters: Parameters, tally: Progress
    ) -> None:
        self.stages, self.plan, self.claim, self.tally = stages, plan, claim, tally
        self.counts = np.zeros(3, dtype=np.int64)
        numbers = parameters.block_numbers(plan.indices)
        tau, floor = np.zeros(len(parameters.blocks)), np.zeros(len(parameters.blocks))
        for number, where in parameters.segments(plan.indices):
            g = claim.values[where]
            tau[number] = TAU[parameters.blocks[number].dtype]
            floor[number] = FLOOR * root_mean_square(g[np.isfinite(g)])
        self.tau, self.floor = tau[numbers], floor[numbers]

    def __call__(self, chunk: slice, values: Values) -> None:
        """Take account of a chunk."""
        found = self.stages.screen(self.plan.of(np.arange(chunk.start, chunk.stop)), values)
        g, d, e = self.claim.values[chunk], found.numeric, found.error_bound
        with np.errstate(invalid="ignore"):
            allowed = self.tau[chunk] * np.maximum(np.maximum(np.abs(g), np.abs(d)), self.floor[chunk])
            agree = np.abs(g - d) + e <= allowed
            wrong = np.abs(g - d) - e > allowed
        self.counts += agree.sum(), wrong.sum(), len(g) - agree.sum() - wrong.sum()
        self.tally.tell(*(int(count) for count in self.counts))
