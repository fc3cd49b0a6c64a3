"""What was checked, and what that proves of all coordinates: `report.coverage`.

`report.build` makes it once, from the selection of what was to be checked and the coordinates that were
measured.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from fastgrad.arrays import IndexArray
from fastgrad.directions.certificate import Certificate
from fastgrad.problem.parameters import Parameters
from fastgrad.sampling.guarantee import Guarantee
from fastgrad.sampling.selection import Selection, selection_of

NAMED = 8
"""Blocks without a checked coordinate that are named at most."""


@dataclass(frozen=True)
class Coverage:
    """How many of how many coordinates were checked, chosen how, and what is known of the others."""

    checked: int
    total: int
    how: str
    """"all", "random", "importance" or "given"."""
    seed: int | None
    per_block: tuple[int, ...]
    unvisited: tuple[str, ...]
    """The names of blocks without a checked coordinate."""
    unvisited_shown: tuple[str, ...] = ()
    """The same names as they are printed."""
    drawn: IndexArray | None = field(default=None, repr=False, compare=False)
    """Flat indices drawn at random, of all that were not picked on purpose; with repeats by importance."""
    planned: int = 0
    """How many were to be checked, where the check was stopped before; else 0."""
    guarantee: Guarantee | None = None
    """What the random draws prove of the coordinates that were not checked."""
    certificate: Certificate | None = None
    """What clean random directions prove of all coordinates."""

    @classmethod
    def of(
        cls,
        selection: Selection,
        indices: IndexArray,
        parameters: Parameters,
        *,
        planned: int = 0,
        guarantee: Guarantee | None = None,
        certificate: Certificate | None = None,
    ) -> Coverage:
        """The coverage of the coordinates that were checked in the end, of those that were selected."""
        found = selection_of(parameters, selection.how, selection.seed, indices)
        how = selection.how
        if how == "all" and len(indices) < selection.checked:
            how = "given"
        if how == "random" and len(indices) == found.total:
            how = "all"
        return cls(
            found.checked,
            found.total,
            how,
            found.seed,
            found.per_block,
            found.unvisited,
            found.unvisited_shown,
            selection.drawn,
            planned if planned > len(indices) else 0,
            guarantee,
            certificate,
        )

    @property
    def fraction(self) -> float:
        """The share of the coordinates that was checked."""
        return self.checked / self.total

    @property
    def sentence(self) -> str:
        """The same in words."""
        if self.how == "all":
            return f"all {self.total:,} coordinates" if self.total != 1 else "the one coordinate"
        text = f"{self.checked:,} of {self.total:,} coordinates"
        if self.how == "random":
            place = "" if self.unvisited else " from every block"
            text += f", drawn without replacement{place}, seed {self.seed}"
        elif self.how == "importance":
            text += f", drawn by the size of the claimed gradient, seed {self.seed}"
        else:
            text += ", as given"
        if self.unvisited:
            more = len(self.unvisited) - NAMED
            others = f" and {more:,} more blocks" if more > 0 else ""
            text += f"; not one in {', '.join(self.unvisited_shown[:NAMED])}{others}"
        if self.planned:
            text += f", of {self.planned:,} that were to be"
        return text
