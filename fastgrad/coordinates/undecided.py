"""Why a coordinate is undecided, in a code and in words, and what to do about it.

The reasons are those of `differences.reasons`; a report asks for the words of the coordinates that it lists.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fastgrad.arrays import IndexArray, Values
from fastgrad.coordinates.table import LADDERED, CoordinateTable
from fastgrad.differences.reasons import Reason
from fastgrad.engines.protocol import Engine
from fastgrad.engines.space import Space

FARTHER = 4.0 ** np.arange(12)
"""Where the end of a domain is looked for, in steps of the coordinate: out to four million of them."""

EVALUATIONS_OF_A_QUOTE = 2 * len(FARTHER)

QUOTED = 10
"""Coordinates whose exception is asked for again, to be quoted: as many as a report lists."""


@dataclass(frozen=True)
class Cause:
    """Why a coordinate is undecided."""

    reason: Reason
    sentence: str
    """The reason in a word, what is known, and what to do about it."""


@dataclass(frozen=True)
class Doubtful:
    """What is known of an undecided coordinate."""

    index: int
    """Its flat index."""
    label: str
    claimed: float
    numeric: float
    error_bound: float

    @property
    def share(self) -> float:
        """The bound as a share of the larger of claim and estimate."""
        scale = max(abs(self.claimed), abs(self.numeric) if np.isfinite(self.numeric) else 0.0)
        return self.error_bound / scale if scale else float("inf")


@dataclass(frozen=True, eq=False)
class Causes:
    """What stood in the way at moved coordinates, by flat index: those that went up the ladder."""

    space: Space
    indices: IndexArray
    reason: npt.NDArray[np.int8]
    kink: npt.NDArray[np.bool_]
    quotes: dict[int, str]
    plateaus: IndexArray
    """Flat indices at which the cost stands still at fine steps."""
    quantum: float
    """By how much it jumps between."""
    single: bool
    """Whether the cost computes in float32."""
    resolution: float
    """To what share of itself each derivative was to be seen."""

    @classmethod
    def of(
        cls, engine: Engine, measured: CoordinateTable, single: bool, resolution: float, quoted: int = QUOTED
    ) -> Causes:
        """From what was measured; the first exceptions are quoted, by asking the engine again.

        Parameters
        ----------
        engine : Engine
        measured : the table of coordinates
        single : whether the cost computes in float32
        resolution : to what share of itself each derivative was to be seen
        quoted : for how many coordinates there is budget to ask, at EVALUATIONS_OF_A_QUOTE each
        """
        at = np.flatnonzero((measured.level >= LADDERED) | measured.cut)
        indices = measured.plan.indices[at]
        reason = np.where(measured.cut[at], np.int8(Reason.BUDGET), measured.reason[at])
        lost = at[reason == Reason.NOT_FINITE][:quoted]
        steps = measured.plan.steps[lost]
        quotes = {
            int(i): _quote(engine, int(i), float(h))
            for i, h in zip(measured.plan.indices[lost], steps, strict=True)
        }
        return cls(
            engine.space, indices, reason, measured.kink[at], quotes,
            measured.plan.indices[measured.plateau], measured.quantum, single, resolution,
        )  # fmt: skip

    def of_coordinate(self, known: Doubtful) -> Cause:
        """Why a coordinate is undecided."""
        here = np.isin(self.indices, self.space.needed(np.asarray([known.index])))
        reasons = {Reason(int(r)) for r in self.reason[here]}
        label, how_well = known.label, self._how_well(known)
        if known.index in self.plateaus:
            return Cause(
                Reason.PLATEAU,
                f"plateau: at fine steps the cost stands still at {label}, and jumps by {self.quantum:.2g} "
                f"between: its slope is the claimed 0 between jumps, and {known.numeric:.6g} on average; "
                "round the cost less",
            )
        if Reason.BUDGET in reasons:
            return Cause(
                Reason.BUDGET,
                f"budget: it was over before this coordinate was decided; {how_well}: give more",
            )
        if self.kink[here].any():
            return Cause(Reason.SUBGRADIENT, _between_slopes(known))
        if Reason.NOT_FINITE in reasons:
            first = int(self.indices[here][np.argmax(self.reason[here] == Reason.NOT_FINITE)])
            said = self.quotes.get(first, f"non-finite: the cost has no finite values around {label}")
            return Cause(Reason.NOT_FINITE, f"{said}; move the parameters into its domain")
        if Reason.JUMP in reasons:
            return Cause(
                Reason.JUMP,
                f"jump: the cost jumps at {label}, and has no derivative there that differences could find; "
                "move the parameters away from it",
            )
        if Reason.KINK in reasons:
            return Cause(
                Reason.KINK,
                f"kink: the cost has a kink too close to {label} for its sides to be told apart; move the "
                "parameters a little",
            )
        off = abs(known.claimed - known.numeric)
        if off > known.error_bound / 2:
            return Cause(
                Reason.LIMIT,
                f"limit: the claim is off by {off:.2g}, and {how_well}: too close to tell right from wrong; "
                f"{self._advice()}",
            )
        if Reason.STEP_RANGE in reasons:
            return Cause(
                Reason.STEP_RANGE,
                f"step range: no step is small enough for the cost's shape at {label}; {how_well}: give "
                "step= in the size of its features",
            )
        return Cause(Reason.NOISE, f"noise: {how_well}: {self._advice()}")

    def _how_well(self, known: Doubtful) -> str:
        """How well a derivative is known, and how well it would have to be."""
        if not np.isfinite(known.error_bound):
            return f"no difference gives the derivative at {known.label}"
        share = f", {known.share:.1g} of itself" if np.isfinite(known.share) else ""
        return (
            f"the derivative at {known.label} is known to {known.error_bound:.2g}{share}, and "
            f"{self.resolution:g} of itself was asked for"
        )

    def _advice(self) -> str:
        """What to do about noise."""
        if self.single:
            return "compute the cost in float64"
        return (
            "compute the cost in float64 throughout, without large terms that cancel, and with a tighter "
            "tolerance where it iterates"
        )


def _between_slopes(known: Doubtful) -> str:
    low, high = known.numeric - known.error_bound, known.numeric + known.error_bound
    return (
        f"kink: on its two sides the cost has slopes of {low:.6g} and {high:.6g}; the claimed "
        f"{known.claimed:.6g} "
        'lies between them, as every subgradient does; kinks="subgradient" lets it pass'
    )


def _quote(engine: Engine, index: int, step: float) -> str:
    """What the cost is where it has no finite value, at the nearest of a few points ever farther off."""
    engine.quoted = ""
    label = engine.space.parameters.label(index)
    offsets = step * FARTHER * np.array([[-1.0], [1.0]])
    values: Values = engine.values(np.full(2, index), offsets)
    bad = ~np.isfinite(values)
    if not bad.any():
        return f"non-finite: the cost has no finite values on one side of {label}, and no slope on the other"
    nearest = int(np.argmax(bad.any(axis=0)))
    side = int(np.argmax(bad[:, nearest]))
    said = f" ({engine.quoted})" if engine.quoted else ""
    value, sign = values[side, nearest] + engine.origin, "-+"[side]
    return f"non-finite: the cost is {value} at {label} {sign} {abs(offsets[side, nearest]):.3g}{said}"
