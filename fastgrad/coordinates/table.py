"""The table of moved coordinates: for each its derivative, its bound, and how far it was measured.

Stages hand in what they measured by `accept`, which alone counts versions. `Derivatives` reads the table, and
knows by the version whether what it worked out still holds.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from fastgrad.arrays import Bools, Floats, IndexArray
from fastgrad.differences.plan import Plan
from fastgrad.differences.rulings import Rulings

SCREENED, OWN, WIDER, FINER, LADDERED, CONFIRMED = range(6)
"""How far a coordinate was measured: by which stage."""

SAMPLED_FIRST = 16
"""Open coordinates of a block that go on before the others do. If no verdict changes among 16, at most 17% of
the others would have changed, at 95% confidence (Clopper-Pearson, 0 of 16). The others are those that show
one derivative at two steps, and no kink."""

COLUMNS = (
    "numeric", "error_bound", "size", "level", "reason", "kink", "suspect", "special", "agreed", "cut",
    "vouched", "plateau", "scale", "doubt", "taken",
)  # fmt: skip
"""The fields of CoordinateTable that have an entry for each coordinate."""


@dataclass(eq=False)
class CoordinateTable:
    """What is known of m moved coordinates; each column has shape (m,)."""

    plan: Plan
    """Without its displacements: they are of no more use, and take up the most memory."""
    numeric: Floats
    """The derivative; NaN where it is unknown."""
    error_bound: Floats
    """The bound on its error; inf where the derivative is unknown."""
    size: Floats
    """The parameter's own size."""
    steepest: float
    """The largest secant |J(x + d) - J(x)| / |d| of all coordinates, times the parameter's size."""
    moves: bool
    """Whether the cost was seen to change by more than its noise."""
    level: npt.NDArray[np.int8]
    reason: npt.NDArray[np.int8]
    """A Reason; it means something where level is LADDERED or more."""
    kink: Bools
    """The estimate is the interval of subgradients between two slopes."""
    suspect: Bools
    """A claim that depends on this coordinate looked wrong."""
    special: Bools
    """The values show a kink, or another derivative at another step: no sample stands for this coordinate."""
    agreed: Bools
    """Four values at two unrelated steps show one derivative, and no kink."""
    cut: Bools
    """There was no budget for the next stage."""
    vouched: Bools
    """A random direction led to this coordinate: differences at three unrelated steps are confirmation
    enough."""
    plateau: Bools
    """The cost stands still here at fine steps, and moves in jumps."""
    scale: Floats
    """Where the ladder begins, in units of the parameter's size: 1, or where the ladder was readable."""
    doubt: Floats
    """How far the claim was seen to be off, where it looked wrong; else 0."""
    taken: Floats
    """The step of the values that the derivative comes from; NaN where it is not known, or is complex."""
    quantum: float = 0.0
    """By how much the cost jumps where it stands still between; 0 where it does not."""
    version: int = 0
    """How often anything was measured anew."""
    left_alone: int = 0
    """Open coordinates of the user's that stayed as they were, for the sample of their block did."""
    ruled: list[tuple[IndexArray, Rulings]] = field(default_factory=list)
    """What ladders found, at which positions."""

    @classmethod
    def screened(
        cls, plan: Plan, numeric: Floats, bound: Floats, size: Floats, steepest: float, moves: bool
    ) -> CoordinateTable:
        """Estimates from the stencil alone."""
        m = len(plan.indices)
        plan = replace(plan, displacements=np.empty((0, 0)))
        level, reason = np.zeros((2, m), dtype=np.int8)
        taken = np.full(m, np.nan) if plan.stencil.is_complex else plan.steps.copy()
        kink, suspect, special, agreed, cut, vouched, plateau = np.zeros((7, m), dtype=bool)
        return cls(
            plan, numeric, bound, size, steepest, moves, level, reason,
            kink, suspect, special, agreed, cut, vouched, plateau, np.ones(m), np.zeros(m), taken,
        )  # fmt: skip

    def accept(
        self,
        at: IndexArray,
        numeric: Floats,
        bound: Floats,
        level: int | None = None,
        steps: Floats | None = None,
    ) -> None:
        """Take over derivatives and bounds at some positions, measured by the stage of that level.

        A complex step that meets what differences in reals say is kept: it is far narrower.

        Parameters
        ----------
        at : (m,) positions
        numeric, bound : (m,)
        level : of the stage
        steps : (m,) of the values that they come from; None where it is no one step
        """
        steps = np.full(len(at), np.nan) if steps is None else steps
        if self.plan.stencil.is_complex:
            with np.errstate(invalid="ignore"):
                meet = np.abs(numeric - self.numeric[at]) <= bound + self.error_bound[at]
            keep = meet & (self.error_bound[at] < bound) & ~self.kink[at]
            numeric, bound = (
                np.where(keep, self.numeric[at], numeric),
                np.where(keep, self.error_bound[at], bound),
            )
            steps = np.where(keep, self.taken[at], steps)
        self.numeric[at], self.error_bound[at], self.taken[at] = numeric, bound, steps
        if level is not None:
            self.level[at] = level
        self.version += 1

    def accept_rulings(self, at: IndexArray, found: Rulings, level: int) -> None:
        """Take over what ladders found at some positions."""
        kinked = found.kink & np.isfinite(found.lower) & np.isfinite(found.upper)
        middle, half = (found.lower + found.upper) / 2, (found.upper - found.lower) / 2
        self.reason[at], self.kink[at] = found.reason, kinked
        self.ruled.append((at, found))
        numeric, bound = np.where(kinked, middle, found.numeric), np.where(kinked, half, found.error_bound)
        kept = (numeric == self.numeric[at]) & (bound == self.error_bound[at])  # what was known before
        self.accept(at, numeric, bound, level, np.where(kept, self.taken[at], found.step))

    def cut_off(self, at: IndexArray) -> None:
        """Put down that there was no budget for the next stage of some positions."""
        self.cut[at] = True
        self.version += 1

    def touch(self) -> None:
        """Put down that what was worked out from the table holds no longer, though no row has changed."""
        self.version += 1

    def lower_steepest(self, secant: float) -> None:
        """Take over a smaller steepest secant, from smaller steps."""
        self.steepest = min(self.steepest, secant)
        self.version += 1

    def extend(self, other: CoordinateTable) -> None:
        """Take over the rows of other coordinates."""
        indices = np.concatenate([self.plan.indices, other.plan.indices])
        order = np.argsort(indices, kind="stable")
        place = np.empty_like(order)
        place[order] = np.arange(len(order))
        steps = np.concatenate([self.plan.steps, other.plan.steps])[order]
        split = len(self.plan.indices)
        self.ruled = [(place[at], found) for at, found in self.ruled]
        self.ruled += [(place[at + split], found) for at, found in other.ruled]
        self.plan = replace(self.plan, indices=indices[order], steps=steps)
        for name in COLUMNS:
            setattr(self, name, np.concatenate([getattr(self, name), getattr(other, name)])[order])
        self.steepest, self.moves = max(self.steepest, other.steepest), self.moves or other.moves
        self.version += 1

    def rulings_on(self, at: IndexArray) -> Rulings:
        """What ladders found at some positions, all of which have a ruling."""
        where = np.empty(len(self.numeric), dtype=np.intp)
        joined = Rulings.joined([found for _, found in self.ruled])
        where[np.concatenate([positions for positions, _ in self.ruled])] = np.arange(len(joined.numeric))
        return joined.at(where[at])

    @property
    def far(self) -> Bools:
        """Which coordinates were measured at steps wider than a quarter of the parameter."""
        return np.asarray(self.plan.steps.real > self.size / 4)

    @property
    def notes(self) -> tuple[str, ...]:
        """What the report should say of how coordinates were measured."""
        if not self.left_alone:
            return ()
        return (
            f"{self.left_alone:,} coordinates that were not found right were measured by a few values only: "
            f"{SAMPLED_FIRST} like them in each group were measured more closely, and none changed "
            "its verdict",
        )
