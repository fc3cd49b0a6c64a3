"""What a ladder of steps finds at M coordinates, and the noise of values that it allows for.

`ladder.py` makes `Rulings`; the coordinate table and the probes read them. All arrays have length M.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from fastgrad.arrays import Bools, Floats, IndexArray


@dataclass(frozen=True, eq=False)
class NoiseModel:
    """The noise of values at M coordinates: a constant, and a part that grows with the offset."""

    constant: Floats  # (M,)
    proportional: Floats  # (M,)

    def at(self, offsets: Floats) -> Floats:
        """The standard deviation at offsets (M, K)."""
        return np.asarray(self.constant[:, None] + self.proportional[:, None] * np.abs(offsets))

    def of(self, positions: IndexArray) -> NoiseModel:
        """That of some of the coordinates."""
        return NoiseModel(self.constant[positions], self.proportional[positions])


@dataclass(frozen=True, eq=False)
class Rulings:
    """What the ladder found at M coordinates: arrays of length M."""

    numeric: Floats  # NaN where there is none
    error_bound: Floats  # inf where there is none
    step: Floats
    kink: Bools  # at the point itself, or closer than any step that is of use
    lower: Floats  # the slopes on the two sides of a kink, noise included; NaN elsewhere
    upper: Floats
    one_sided: Bools
    reason: npt.NDArray[np.int8]

    @classmethod
    def joined(cls, several: list[Rulings]) -> Rulings:
        """Rulings on different coordinates as one."""
        return cls(*(np.concatenate([getattr(r, f.name) for r in several]) for f in fields(cls)))

    def replaced(self, positions: IndexArray, others: Rulings) -> Rulings:
        """These rulings with others in the place of some."""
        columns = {f.name: getattr(self, f.name).copy() for f in fields(self)}
        for name, column in columns.items():
            column[positions] = getattr(others, name)
        return Rulings(**columns)

    def at(self, positions: IndexArray) -> Rulings:
        """The rulings at some positions."""
        return Rulings(*(getattr(self, f.name)[positions] for f in fields(self)))


@dataclass(frozen=True, eq=False)
class Believed:
    """Of each coordinate's levels the one that is believed: estimate, bound (inf for none), its number."""

    numeric: Floats
    bound: Floats
    level: IndexArray
