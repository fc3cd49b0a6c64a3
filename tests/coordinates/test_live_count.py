"""What a waiting user is told while values come in."""

from __future__ import annotations

import numpy as np
from running import X, running

from fastgrad.coordinates.live_count import LiveCount, watch_progress
from fastgrad.differences.plan import make_plan
from fastgrad.differences.stencils import CENTRAL


class Told:
    """Keeps what it was told."""

    def __init__(self):
        self.finished, self.counts = 0, ()

    def advance(self, count):
        """So many more are finished."""
        self.finished += count

    def tell_first(self, *counts):
        """So many agree, so many are to be looked at again."""
        self.counts = counts


def screening(claim):
    """The setting, the plan and its values, and the claim at its coordinates."""
    coordinates = running(claim=claim)
    everyone = np.arange(len(X))
    coordinates.calibrate(everyone)
    plan = make_plan(
        coordinates.engines.moved, everyone, CENTRAL, None, coordinates.calibration.scales(everyone).step
    )
    values = coordinates.engines.in_reals(plan.indices, plan.displacements)
    return coordinates._setting(len(X)), plan, values, coordinates.claim.at(everyone)


def test_counts_add_up():
    """Chunk by chunk the counts become those of all coordinates."""
    setting, plan, values, claim = screening(np.cos(X) + 0.5 * (np.arange(len(X)) < 2))
    count = LiveCount(setting, plan, claim)
    count.add(slice(0, 3), values[:3])
    assert count.add(slice(3, 8), values[3:]) == (6, 2)


def test_the_bar_is_told():
    """Each chunk moves the bar on; counts are told where there is a claim."""
    setting, plan, values, claim = screening(np.cos(X))
    for known, counts in ((claim, (8, 0)), (None, ())):
        told = Told()
        watch_progress(setting, plan, known, told)(slice(0, 8), values)
        assert (told.finished, told.counts) == (8, counts)
