"""The outcome of a strategy: which coordinates were to be checked, and what certificate or doubt came of it.

`strategy.run` and `strategy.sampled` make it, `report.build` reads it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from fastgrad.arrays import IndexArray
from fastgrad.directions.certificate import Certificate
from fastgrad.sampling.selection import Selection


@dataclass(frozen=True, eq=False)
class Outcome:
    """What came of a check beside the measured coordinates; `strategy.run` hands it to the report."""

    selection: Selection
    planned: int = 0
    """How many coordinates were to be checked, where the budget had no room for all of them; else 0."""
    stopped_blocks: tuple[tuple[int, int], ...] = ()
    """(block, batch): blocks of which no more were drawn, for one was found wrong in that batch."""
    certificate: Certificate | None = None
    notes: tuple[str, ...] = ()
    doubt: str = ""
    """Why the verdict cannot be "agree", where no coordinate says so."""
    doubt_reference: str = ""
    """Where that doubt is explained, such as "FG506" for `fastgrad explain FG506`."""
    left_out: IndexArray = field(default_factory=lambda: np.empty(0, dtype=np.intp))
    """Drawn coordinates that the end of the budget left undecided, and the report does not list: they bear on
    what the draws prove as if they were wrong."""
    used_up: bool = False
    """Whether the budget ended when all that was planned was done, while more was drawn to use it up."""
