"""How many coordinates agree so far, while their first values come in, for the progress bar.

The others are to be looked at again. None is called wrong before it was confirmed.
"""

from __future__ import annotations

import numpy as np

from fastgrad.arrays import Values
from fastgrad.coordinates.setting import Setting
from fastgrad.differences.plan import Plan
from fastgrad.execution.job import Watch
from fastgrad.execution.progress import Progress
from fastgrad.problem.claim import ClaimedValues


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
            progress.tell_first(*count.add(chunk, values))

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
        self.agree = 0
        self.seen = 0

    def add(self, chunk: slice, values: Values) -> tuple[int, int]:
        """Take account of a chunk; how many agree so far, and how many are to be looked at again."""
        plan, g = self.plan.of(np.arange(chunk.start, chunk.stop)), self.claim.values[chunk]
        d = plan.stencil.derivative(values, plan.displacements, self.setting.f0)
        scales = self.setting.calibration.scales(plan.indices)
        with np.errstate(all="ignore"):
            noise = self.setting.z * scales.noise_at(np.abs(plan.steps)) / np.abs(plan.steps)
            close = np.abs(g - d) <= np.maximum(
                self.setting.resolution * np.fmax(np.abs(g), np.abs(d)), noise
            )
        self.agree += int(close.sum())
        self.seen += len(g)
        return self.agree, self.seen - self.agree
