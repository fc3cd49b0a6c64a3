"""What is known of coordinates before they are measured: size, step, noise, and what the step may hide.

`Coordinates` asks for a `Calibration` once. It is `OwnCalibration`, each coordinate by its own scale, or for
engines that propagate changes through known layers `BlockCalibration`, block by block. Stages ask it for the
`Scales` of the coordinates that they measure.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from fastgrad.arrays import Floats, IndexArray
from fastgrad.index_sets import distinct

UNSEEN = 4.0
"""How much more truncation the screen allows a coordinate than twice the largest seen on the probes. The rule
has room for it: what counts as a bug is some hundred times larger than truncation at a balanced step."""


@dataclass(frozen=True, eq=False)
class Scales:
    """The scales of m coordinates; each (m,)."""

    own: Floats
    """The parameter's own size: its effect on the cost is its derivative times that."""
    size: Floats
    """The size that steps are a share of: the same, or larger where that is lost in noise."""
    step: Floats
    """The step that central differences should take."""
    constant: Floats
    """The standard deviation of the noise of a value that does not depend on the step."""
    proportional: Floats
    """The part that grows with the offset, for values counted from the cost at the parameters."""
    group: IndexArray
    """The same number for coordinates that are alike."""

    def noise_at(self, offsets: Floats) -> Floats:
        """The standard deviation of a value at some offset of each coordinate."""
        return np.asarray(self.constant + self.proportional * np.abs(offsets))


@dataclass(eq=False)
class Hidden:
    """What the two values at a step may hide, for each group: truncation, and how much values bend.

    Both are changes of the cost, so that they do not depend on a parameter's unit.
    """

    truncation: dict[int, float] = field(default_factory=dict)
    """The largest h |D(h) - D(2h)| / 3, times 2 UNSEEN."""
    bend: dict[int, float] = field(default_factory=dict)
    """The largest |S(h)|."""
    stretched: dict[int, float] = field(default_factory=dict)
    """By what a group's steps were multiplied, for they did not fit the cost's shape."""
    changes: int = 0
    """How often they were."""

    def stretch(self, group: int, factor: float) -> None:
        """Multiply a group's steps."""
        self.stretched[group] = self.stretched.get(group, 1.0) * factor
        self.changes += 1

    def stretched_by(self, groups: IndexArray) -> Floats:
        """(m,) by what steps are multiplied."""
        return _looked_up(self.stretched, groups, 1.0)

    def learn(self, groups: IndexArray, truncation: Floats, bend: Floats) -> None:
        """Take account of coordinates that were measured at two scales.

        Parameters
        ----------
        groups : (m,)
        truncation : (m,) h |D(h) - D(2h)| / 3
        bend : (m,) |S(h)|
        """
        for group in distinct(groups):
            here, number = groups == group, int(group)
            seen = truncation[here][np.isfinite(truncation[here])]  # others have no value, or a kink
            before = self.truncation.get(number, np.inf)
            if len(seen):
                most = float(2 * UNSEEN * np.max(seen))
                self.truncation[number] = most if np.isinf(before) else max(before, most)
            else:
                self.truncation[number] = before
            bent = float(np.max(bend[here], where=np.isfinite(bend[here]), initial=0.0))
            self.bend[number] = max(self.bend.get(number, 0.0), bent)

    def truncation_of(self, groups: IndexArray) -> Floats:
        """(m,) inf where nothing is known."""
        return _looked_up(self.truncation, groups, np.inf)

    def bend_of(self, groups: IndexArray) -> Floats:
        """(m,) 0 where nothing is known."""
        return _looked_up(self.bend, groups, 0.0)


class Calibration(Protocol):
    """What is known of coordinates before they are measured."""

    @property
    def hidden(self) -> Hidden:
        """What the two values at a step may hide."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What the report is to say of the cost."""

    def scales(self, indices: IndexArray) -> Scales:
        """The scales of some coordinates, increasing flat indices of what is moved."""

    @property
    def noise(self) -> dict[str, float]:
        """The standard deviation of a value, by block name."""

    @property
    def noise_parts(self) -> dict[str, tuple[float, float]]:
        """Its two parts by block name: a constant, and what grows with the offset."""

    def steps(self, indices: IndexArray) -> Floats:
        """(m,) the steps of some coordinates alone."""

    @property
    def single(self) -> bool:
        """Whether the cost was seen to compute in float32."""

    @property
    def largest_noise(self) -> float:
        """The largest standard deviation of a value that does not depend on the step."""


def _looked_up(found: dict[int, float], groups: IndexArray, unknown: float) -> Floats:
    if len(groups) and (groups == groups[0]).all():  # as nearly always where groups are blocks
        return np.broadcast_to(found.get(int(groups[0]), unknown), len(groups))
    every = distinct(groups)
    values = np.array([found.get(int(group), unknown) for group in every])
    return values[np.searchsorted(every, groups)] if len(every) else np.empty(0)
