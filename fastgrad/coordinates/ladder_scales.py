"""The scales on which a coordinate is measured by ladders of steps: that of its block, and smaller ones.

The stages `ladder` and `confirm` make `Ladders` of the coordinates of one block, and get `Rulings` (M,).

A cost may oscillate many times within any step that is usual for a parameter of that size. Its differences
then look smooth, or kinked, or contradict one another. Far smaller steps are tried there. A
cost that does not change at far smaller steps proves nothing: rounding inside it may hide the change.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from fastgrad.arrays import Evaluate, Floats, IndexArray
from fastgrad.differences.ladder import adjudicate, confirm
from fastgrad.differences.rulings import NoiseModel, Rulings

MUCH_SMALLER = 2.0**-10
"""A parameter of less than this share of its block's typical size may live on a scale of its own."""

DEEPER = 2.0**-20
"""Where the second ladder begins if nothing is believed on the first, in units of the first one's scale. The
first ends at 2^-27. (A sine of frequency 1e9 has its period there.)"""


@dataclass(frozen=True, eq=False)
class Ladders:
    """The ladders of M coordinates of one dtype; the fields are what differences.ladder.adjudicate takes."""

    sample: Evaluate
    x: npt.NDArray[Any]
    indices: IndexArray
    f0: float
    size: Floats  # (M,) of the parameters
    scale: Floats  # (M,) where the ladders begin
    noise: NoiseModel
    z: float

    def measured(self) -> tuple[Rulings, Floats]:
        """The ruling on each coordinate, and the scale (M,) of the ladder that gave it.

        Where the ladder on the block's scale is not believed, or shows a kink, smaller scales are tried.
        """
        found, readable = self._ladder(), self.scale.copy()
        for scale in (self.scale * DEEPER, np.abs(self.x).astype(np.float64)):
            unclear = found.kink | ~np.isfinite(found.error_bound)
            at = np.flatnonzero(unclear & (scale > 0) & (scale < self.scale * MUCH_SMALLER))
            if len(at):
                there = self._some(at, scale[at])._ladder()
                clear = np.isfinite(there.error_bound) & ~there.kink & (there.numeric != 0)
                found = found.replaced(at[clear], there.at(np.flatnonzero(clear)))
                readable[at[clear]] = scale[at[clear]]
        return found, readable

    def confirmed(self, first: Rulings) -> Rulings:
        """The rulings of the first ladders, joined with those of ladders at unrelated steps."""
        found = self._confirm(first)
        lost = np.flatnonzero(~np.isfinite(found.error_bound) & ~found.kink)
        if len(lost):  # the two contradict each other: two more are measured, far below both
            below = self._some(lost, self.scale[lost] * DEEPER)
            there = below._confirm(below._ladder())
            moves = there.numeric != 0
            found = found.replaced(lost[moves], there.at(np.flatnonzero(moves)))
        return found

    def _ladder(self) -> Rulings:
        return adjudicate(
            self.sample, self.x, self.indices, self.f0, scale=self.scale, noise=self.noise, z=self.z
        )

    def _confirm(self, first: Rulings) -> Rulings:
        given: dict[str, Any] = {"scale": self.scale, "noise": self.noise, "z": self.z}
        return confirm(self.sample, self.x, self.indices, self.f0, first, **given)

    def _some(self, at: IndexArray, scale: Floats) -> Ladders:
        """Some of the coordinates, on another scale."""
        noise = self.noise.of(at)
        return replace(
            self, x=self.x[at], indices=self.indices[at], size=self.size[at], scale=scale, noise=noise
        )
