"""Why a coordinate is undecided, in words: noise, kink, step range, not finite, budget."""

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

QUOTED = 10
"""Coordinates whose exception is asked for again, to be quoted: as many as a report lists."""


@dataclass(frozen=True, eq=False)
class Causes:
    """What stood in the way at moved coordinates, by flat index: those that went up the ladder."""

    space: Space
    indices: IndexArray
    reason: npt.NDArray[np.int8]
    kink: npt.NDArray[np.bool_]
    quotes: dict[int, str]

    @classmethod
    def of(cls, engine: Engine, measured: CoordinateTable) -> Causes:
        """From what was measured; the first exceptions are quoted, by asking the engine again."""
        at = np.flatnonzero((measured.level >= LADDERED) | measured.cut)
        indices = measured.plan.indices[at]
        reason = np.where(measured.cut[at], np.int8(Reason.BUDGET), measured.reason[at])
        lost = at[reason == Reason.NOT_FINITE][:QUOTED]
        steps = measured.plan.steps[lost]
        quotes = {
            int(i): _quote(engine, int(i), float(h))
            for i, h in zip(measured.plan.indices[lost], steps, strict=True)
        }
        return cls(engine.space, indices, reason, measured.kink[at], quotes)

    def sentence(
        self, index: int, label: str, claimed: float, numeric: float, bound: float, allowed: float
    ) -> str:
        """Why the derivative at a flat index is undecided."""
        here = np.isin(self.indices, self.space.needed(np.asarray([index])))
        reasons = self.reason[here]
        known = _how_well(label, bound, allowed)
        if (reasons == Reason.BUDGET).any():
            return f"budget: it was over before this coordinate was decided; {known}"
        if self.kink[here].any():
            low, high = numeric - bound, numeric + bound
            return (
                f"kink: on its two sides the cost has slopes of {low:.6g} and {high:.6g}; the claimed "
                f"{claimed:.6g} lies between them, as every subgradient does"
            )
        if (reasons == Reason.NOT_FINITE).any():
            first = int(self.indices[here][np.argmax(reasons == Reason.NOT_FINITE)])
            return self.quotes.get(first, f"non-finite: the cost has no finite values around {label}")
        if (reasons == Reason.JUMP).any():
            return f"jump: the cost jumps at {label}, and has no derivative there that differences could find"
        if (reasons == Reason.KINK).any():
            return f"kink: the cost has a kink too close to {label} for its sides to be told apart"
        if (reasons == Reason.STEP_RANGE).any():
            return f"step range: no step is small enough for the cost's shape at {label}; {known}"
        return f"noise: {known}"


def _how_well(label: str, bound: float, allowed: float) -> str:
    """How well a derivative is known, and how well it would have to be."""
    if not np.isfinite(bound):
        return f"no difference gives the derivative at {label}"
    known = f"the derivative at {label} is known to {bound:.2g}"
    return f"{known}, and an error of {allowed:.2g} would count" if np.isfinite(allowed) else known


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
