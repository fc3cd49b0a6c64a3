"""How many coordinates agree so far, while their first values come in: what a waiting user is told.

The counts follow the screen's rule alone, on the scale of the claimed gradient. A coordinate that is counted
as wrong or undecided here goes through all stages before the report calls it so.
"""

from __future__ import annotations

import numpy as np

from fastgrad.arrays import Values, root_mean_square
from fastgrad.coordinates.stages import Setting, screen
from fastgrad.differences.plan import Plan
from fastgrad.execution.job import Watch
from fastgrad.execution.progress import Progress
from fastgrad.problem.claim import ClaimedValues
from fastgrad.verdict.rule import FLOOR, TAU


def watch_progress(setting: Setting, plan: Plan, claim: ClaimedValues | None, progress: Progress) -> Watch:
    """Who is shown each finished chunk of a plan: the bar, and where there is a claim, the counts beside it.

    Parameters
    ----------
    setting : Setting
    plan : Plan
    claim : ClaimedValues at the plan's coordinates; None where nothing is counted
    progress : Progress
    """
    count = None if claim is None else LiveCount(setting, plan, claim)

    def watch(chunk: slice, values: Values) -> None:
        progress.advance(chunk.stop - chunk.start)
        if count is not None:
            progress.tell(*count.add(chunk, values))

    return watch


class LiveCount:
    """Counts what chunks of a plan show beside the claim.

    Parameters
    ----------
    setting : Setting
    plan : of the coordinates that are claimed
    claim : ClaimedValues at these
    """

    def __init__(self, setting: Setting, plan: Plan, claim: ClaimedValues) -> None:
        self.setting, self.plan, self.claim = setting, plan, claim
        self.counts = np.zeros(3, dtype=np.int64)
        parameters = setting.parameters
        numbers = parameters.block_numbers(plan.indices)
        tau, floor = np.zeros(len(parameters.blocks)), np.zeros(len(parameters.blocks))
        for number, where in parameters.segments(plan.indices):
            g = claim.values[where]
            tau[number] = TAU[parameters.blocks[number].dtype]
            floor[number] = FLOOR * root_mean_square(g[np.isfinite(g)])
        self.tau, self.floor = tau[numbers], floor[numbers]

    def add(self, chunk: slice, values: Values) -> tuple[int, int, int]:
        """Take account of a chunk; how many agree, disagree and are undecided so far."""
        found = screen(self.setting, self.plan.of(np.arange(chunk.start, chunk.stop)), values)
        g, d, e = self.claim.values[chunk], found.numeric, found.error_bound
        with np.errstate(invalid="ignore"):
            allowed = self.tau[chunk] * np.maximum(np.maximum(np.abs(g), np.abs(d)), self.floor[chunk])
            agree = np.abs(g - d) + e <= allowed
            wrong = np.abs(g - d) - e > allowed
        self.counts += agree.sum(), wrong.sum(), len(g) - agree.sum() - wrong.sum()
        right, off, open_yet = (int(count) for count in self.counts)
        return right, off, open_yet
