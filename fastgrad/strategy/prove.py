"""What the coordinates that were drawn at random prove of those that were not checked.

Nothing is evaluated here. `report.build` asks when every verdict is known.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from fastgrad.arrays import IndexArray
from fastgrad.coordinates.derivatives import Measured
from fastgrad.index_sets import holds, union
from fastgrad.sampling.confidence_limits import sequential_confidences
from fastgrad.sampling.guarantee import BlockCounts, Guarantee
from fastgrad.specification import Specification
from fastgrad.strategy.decide import CONFIDENCE
from fastgrad.strategy.outcome import Outcome


def proven(spec: Specification, outcome: Outcome, found: Measured, stopped: str) -> Guarantee | None:
    """What the random draws prove, from the verdicts on them; None where nothing was drawn at random.

    Parameters
    ----------
    spec : Specification
    outcome : with the coordinates that were to be checked, and which of them were drawn
    found : Measured
    stopped : why the check ended early; empty where it did not
    """
    selection, comparison = outcome.selection, found.comparison
    if selection.drawn is None or spec.options.tolerance is not None:
        return None
    confidence = spec.options.confidence or CONFIDENCE
    checked = union(found.indices, outcome.left_out)
    dirty = union(found.indices[comparison.wrong | comparison.undecided], outcome.left_out)
    drawn = selection.drawn[holds(checked, selection.drawn)]
    if selection.how == "importance":
        hits = int(holds(dirty, drawn).sum())
        return Guarantee.of([], confidence, (len(drawn), hits)) if len(drawn) else None
    batches = [batch for _, batch in outcome.stopped_blocks]
    if batches:  # a block that was stopped early was judged several times: the confidence is shared out
        confidence = sequential_confidences(confidence, max(batches) + 1)[-1]
    parts = (_in_blocks(spec, indices) for indices in (checked, dirty, drawn, selection.drawn))
    counts = []
    for block, mine, bad, of_draw, to_draw in zip(spec.parameters.blocks, *parts, strict=True):
        if stopped and len(of_draw) < len(to_draw):
            of_draw = of_draw[:0]  # those that were reached before it ended are the first, and not at random
        counts.append(BlockCounts(block.name, block.size, *_counted(mine, bad, of_draw), block.shown))
    return Guarantee.of(counts, confidence)


def _in_blocks(spec: Specification, increasing: IndexArray) -> Iterator[IndexArray]:
    """Those of some flat indices that are in each block."""
    starts = [block.start for block in spec.parameters.blocks]
    cuts = np.searchsorted(increasing, [*starts, spec.parameters.size]).tolist()
    return (increasing[start:stop] for start, stop in pairwise(cuts))


def _counted(measured: IndexArray, bad: IndexArray, drawn: IndexArray) -> tuple[int, int, int, int]:
    """Of one block: how many were picked and bad among them, how many were drawn and bad among them."""
    hits = int(np.isin(bad, drawn).sum()) if len(bad) else 0
    return len(measured) - len(drawn), len(bad) - hits, len(drawn), hits
