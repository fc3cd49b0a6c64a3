"""What is known of each moved coordinate, and how far it was measured."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from fastgrad.arrays import Bools, Floats, IndexArray
from fastgrad.differences.plan import Plan
from fastgrad.differences.rulings import Rulings

SCREENED, OWN, FINER, LADDERED, CONFIRMED = range(5)
"""How far a coordinate was measured."""

SAMPLED_FIRST = 16
"""Open coordinates of a block that go on before the others do. If no verdict changes among 16, at most 17% of
the others would have changed, at 95% confidence (Clopper-Pearson, 0 of 16): and they are those that show one
derivative at two steps, and no kink."""


ARRAYS = (
    "numeric", "error_bound", "level", "reason", "kink", "suspect", "special", "cut", "vouched", "scale",
)  # fmt: skip
"""The fields of Measured that have an entry for each coordinate."""


@dataclass(eq=False)
class CoordinateTable:
    """The estimates so far: arrays of length m."""

    plan: Plan
    """Without its displacements, which are of no more use and take up the most memory."""
    numeric: Floats
    error_bound: Floats
    steepest: float
    level: npt.NDArray[np.int8]
    reason: npt.NDArray[np.int8]
    """A ladder.Reason; it means something where level is LADDERED or more."""
    kink: Bools
    """The estimate is the interval of subgradients between two slopes."""
    suspect: Bools
    """A claim that depends on it looked wrong."""
    special: Bools
    """Its values show a kink, or do not lead to one derivative at two steps: nobody stands for it."""
    cut: Bools
    """There was no budget for its next stage."""
    vouched: Bools
    """A probe singled it out: what differences at three unrelated steps say of it is confirmed already."""
    scale: Floats
    """Where its ladder begins, in units of its block's typical size: 1, or where it was readable."""
    version: int = 0
    """How often anything was measured anew."""
    left_alone: int = 0
    """Open coordinates of the user's that stayed as they were, for a sample of their block did."""
    ruled: list[tuple[IndexArray, Rulings]] = field(default_factory=list)

    @classmethod
    def screened(cls, plan: Plan, numeric: Floats, bound: Floats, steepest: float) -> CoordinateTable:
        """Estimates from the stencil alone."""
        m = len(plan.indices)
        plan = replace(plan, displacements=np.empty((0, 0)))
        blank = np.zeros(m, dtype=np.int8)
        no = np.zeros(m, dtype=bool)
        kink, suspect, special, cut, vouched = (no.copy() for _ in range(5))
        return cls(
            plan,
            numeric,
            bound,
            steepest,
            blank.copy(),
            blank,
            kink,
            suspect,
            special,
            cut,
            vouched,
            np.ones(m),
        )

    def extend(self, other: CoordinateTable) -> None:
        """Take over what was measured of other coordinates."""
        indices = np.concatenate([self.plan.indices, other.plan.indices])
        order = np.argsort(indices, kind="stable")
        place = np.empty_like(order)
        place[order] = np.arange(len(order))
        steps = np.concatenate([self.plan.steps, other.plan.steps])[order]
        split = len(self.plan.indices)
        self.ruled = [(place[at], found) for at, found in self.ruled]
        self.ruled += [(place[at + split], found) for at, found in other.ruled]
        self.plan = replace(self.plan, indices=indices[order], steps=steps)
        for name in ARRAYS:
            setattr(self, name, np.concatenate([getattr(self, name), getattr(other, name)])[order])
        self.steepest = max(self.steepest, other.steepest)
        self.version += 1

    def store(self, at: IndexArray, found: Rulings, level: int) -> None:
        """Take over the ladder's rulings on the coordinates at some positions."""
        kinked = found.kink & np.isfinite(found.lower) & np.isfinite(found.upper)
        middle, half = (found.lower + found.upper) / 2, (found.upper - found.lower) / 2
        self.numeric[at] = np.where(kinked, middle, found.numeric)
        self.error_bound[at] = np.where(kinked, half, found.error_bound)
        self.reason[at], self.kink[at], self.level[at] = found.reason, kinked, level
        self.ruled.append((at, found))

    def rulings_on(self, at: IndexArray) -> Rulings:
        """What the ladder said of the coordinates at some positions, all of which went up it."""
        where = np.empty(len(self.numeric), dtype=np.intp)
        joined = Rulings.joined([found for _, found in self.ruled])
        where[np.concatenate([positions for positions, _ in self.ruled])] = np.arange(len(joined.numeric))
        return joined.at(where[at])

    @property
    def notes(self) -> tuple[str, ...]:
        """What the report should say of how coordinates were measured."""
        if not self.left_alone:
            return ()
        return (
            f"{self.left_alone:,} coordinates that were not found right were measured by a few values only: "
            f"{SAMPLED_FIRST} like them in each block were measured by a ladder of steps, and none changed "
            "its verdict",
        )
