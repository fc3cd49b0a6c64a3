"""What came of a check beside the measurements: coverage, what it proves, notes, and what it took."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fastgrad.coordinates.measurement import Measurement
from fastgrad.index_sets import between, holds
from fastgrad.sampling.confidence_limits import sequential_confidences
from fastgrad.sampling.guarantee import Guarantee
from fastgrad.sampling.selection import Selection
from fastgrad.strategy.decide import CONFIDENCE


@dataclass(eq=False)
class Outcome:
    """What was done, beside what the measurement knows: coverage, notes, and what it took."""

    coverage: Selection
    notes: list[str] = field(default_factory=list)
    planned: int = 0  # how many were to be checked, where there was no budget for all of them
    doubt: str = ""  # why the verdict cannot be "agree", where no coordinate says so
    spent: dict[str, int] = field(default_factory=dict)


def proven(coverage: Selection, m: Measurement) -> Guarantee | None:
    """What the random draws prove, from the verdicts on them; None where nothing was drawn at random.

    Parameters
    ----------
    coverage : Selection, of what was to be checked
    m : Measurement
    """
    if coverage.drawn is None or m.options.tolerance is not None:
        return None
    view, parameters, confidence = m.known, m.parameters, m.options.confidence or CONFIDENCE
    comparison = view.judge()
    dirty = view.indices[comparison.wrong | comparison.undecided]
    drawn = coverage.drawn[holds(view.indices, coverage.drawn)]
    if coverage.how == "importance":
        hits = int(holds(dirty, drawn).sum())
        return Guarantee.of([], confidence, (len(drawn), hits)) if len(drawn) else None
    looks = dict(coverage.looks)
    if looks:  # a block that was stopped early has had several looks: the confidence is shared out
        confidence = sequential_confidences(confidence, max(looks.values()) + 1)[-1]
    counts: list[Any] = []
    for block in parameters.blocks:
        inside = (block.start, block.start + block.size)
        mine = between(view.indices, *inside)
        of_draw = between(drawn, *inside)
        if m.budget.stopped and len(of_draw) < len(between(coverage.drawn, *inside)):
            of_draw = of_draw[:0]  # those that were reached before it ended are the first, and not at random
        bad = between(dirty, *inside)
        hits = int(np.isin(bad, of_draw).sum())
        known = len(mine) - len(of_draw)
        counts.append((block.name, block.size, known, len(bad) - hits, len(of_draw), hits))
    return Guarantee.of(counts, confidence)
