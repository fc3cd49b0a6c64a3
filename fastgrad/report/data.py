"""The data of a report: what a check found.

`Report` adds methods to it. The modules that write text and JSON know the data only.

Arrays have shape (m,), an entry for each checked coordinate, in the units of the gradient.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from fastgrad.arrays import IndexArray
from fastgrad.printable import shown_names
from fastgrad.report.coverage import Coverage
from fastgrad.report.findings import BlockRow, Entry, Findings
from fastgrad.report.resolution import Resolution
from fastgrad.report.revisit import Revisit


@dataclass(frozen=True, eq=False, repr=False)
class ReportData:
    """What a check found."""

    verdict: str
    relative_error: float
    relative_error_interval: tuple[float, float]
    wrong: Findings
    undecided: Findings
    blocks: tuple[BlockRow, ...]
    coverage: Coverage
    indices: IndexArray
    claimed: npt.NDArray[np.float64]
    numeric: npt.NDArray[np.float64]
    error_bound: npt.NDArray[np.float64]
    allowed: npt.NDArray[np.float64]
    """What |claimed - numeric| may be."""
    states: npt.NDArray[np.uint8]
    """0 where a coordinate agrees, 1 where it is undecided, 2 where it is wrong."""
    cost: float
    evaluations: int
    seconds: float
    engine: str
    method: str
    n_jobs: int
    seed: int
    noise: dict[str, float]
    perturbed: str
    rule: str
    seen: Resolution
    """How far the check could see, and why not further."""
    notes: tuple[str, ...] = field(default=())
    witnesses: tuple[str, ...] = ()
    """What independent tests said: the complex step, the path integral of the gradient."""
    diagnosis: tuple[str, ...] = ()
    """Sentences that name the likely mistakes."""
    doubt: str = ""
    """Why the verdict is not "agree" though every checked coordinate does: a budget, or a failed probe."""
    doubt_reference: str = ""
    """Where that doubt is explained, such as "FG506" for `fastgrad explain FG506`."""
    stopped: str = ""
    """Why the check ended early: a budget, or "interrupted"; empty where it did not."""
    spent: dict[str, int] = field(default_factory=dict)
    """Evaluations by what they were made for: set-up, certificate, subset, localisation."""
    entries: tuple[Entry, ...] = ()
    """Some entries of a Jacobian that are wrong, in the columns that are: the report is then that of one
    random combination of outputs."""
    reused: int = 0
    """Values that came from the checkpoint."""
    revisit: Revisit | None = field(default=None, repr=False, compare=False)
    """What can still be asked of the check; None in another process, and in a copy."""

    def __getstate__(self) -> dict[str, Any]:
        """The data alone: the user's functions stay in the process of the check."""
        return self.__dict__ | {"revisit": None}

    @property
    def shown_blocks(self) -> list[str]:
        """The names of the blocks as they are printed."""
        return shown_names([row.name for row in self.blocks])

    def of_block(self, number: int) -> slice:
        """Where the checked coordinates of a block stand among all that were checked."""
        start = sum(row.size for row in self.blocks[:number])
        first, last = np.searchsorted(self.indices, (start, start + self.blocks[number].size)).tolist()
        return slice(first, last)  # indices increase

    @property
    def resolution(self) -> float:
        """To what share of itself each derivative was seen to be right, small ones aside; see `seen`.

        NaN where none was seen by itself, as where all are wrong or zero.
        """
        return self.seen.seen
