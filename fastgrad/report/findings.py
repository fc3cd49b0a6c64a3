"""Single coordinates and single blocks as a report lists them.

`report.tables` makes them of arrays (m,) over the checked coordinates.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np
import numpy.typing as npt

from fastgrad.arrays import IndexArray
from fastgrad.differences.reasons import CLAIM_NOT_FINITE, REFERENCES
from fastgrad.problem.parameters import Parameters
from fastgrad.verdict.rule import UNDECIDED, overall


@dataclass(frozen=True)
class Finding:
    """One coordinate: where it is, what was claimed, what was found, and what decided."""

    block: str
    index: tuple[int, ...]
    flat_index: int
    label: str
    claimed: float
    numeric: float
    error_bound: float
    allowed: float
    resolution: float
    """To what share of itself the claim was seen to be right; inf where that is not known."""
    code: str
    """The cause as a word that programs can test, such as "noise" or "off"."""
    cause: str
    """The same in a sentence, and what to do about it."""

    @property
    def reference(self) -> str:
        """Where the cause is explained, such as "FG501" for `fastgrad explain FG501`."""
        return REFERENCES.get(self.code, "") if np.isfinite(self.claimed) else CLAIM_NOT_FINITE

    @property
    def absolute_error(self) -> float:
        """|claimed - numeric|."""
        return abs(self.claimed - self.numeric)

    @property
    def relative_error(self) -> float:
        """|claimed - numeric| / |claimed + numeric|; 0 when both are zero."""
        with np.errstate(divide="ignore", invalid="ignore"):
            above, below = self.absolute_error, abs(self.claimed + self.numeric)
            return 0.0 if above == 0 else float(np.float64(above) / below)


@dataclass(frozen=True)
class Entry:
    """One entry of a Jacobian that is wrong: the derivative of an output by a parameter."""

    output: str
    """The output as a user writes it, such as "output[3]"."""
    parameter: str
    output_index: int
    flat_index: int
    claimed: float
    numeric: float
    error_bound: float


@dataclass(frozen=True)
class BlockRow:
    """One block's row of the report."""

    name: str
    shape: tuple[int, ...]
    size: int
    checked: int
    wrong: int
    undecided: int
    relative_error: float
    relative_error_interval: tuple[float, float]
    resolution: float
    """To what share of themselves its coordinates were seen to be right: those that are not wrong, nor too
    small to be seen by themselves. NaN where there are none."""
    worst: Finding | None

    @property
    def verdict(self) -> str:
        """The verdict on the block's checked coordinates; "undecided" where none was checked."""
        return overall(self.wrong, self.undecided) if self.checked or not self.size else UNDECIDED

    @property
    def verdict_said(self) -> str:
        """The same for tables, which say where nothing was checked."""
        return self.verdict if self.checked else "not checked"

    @property
    def checked_said(self) -> str:
        """How many of its coordinates were checked, in words."""
        if self.checked == self.size:
            return f"all {self.checked:,}"
        return f"{self.checked:,} of {self.size:,}"


@dataclass(frozen=True, eq=False)
class Arrays:
    """Everything known of the checked coordinates, each array of length m."""

    indices: IndexArray
    claimed: npt.NDArray[np.float64]
    numeric: npt.NDArray[np.float64]
    error_bound: npt.NDArray[np.float64]
    allowed: npt.NDArray[np.float64]
    resolution: npt.NDArray[np.float64]
    cause: Callable[[int], tuple[str, str]]
    """Why the coordinate at a position is wrong or undecided, as a code and a sentence, when asked."""


class Findings(Sequence[Finding]):
    """Coordinates, worst first, each built when it is looked at (there may be millions)."""

    def __init__(self, parameters: Parameters, arrays: Arrays, positions: IndexArray) -> None:
        self._parameters = parameters
        self._arrays = arrays
        self._positions = positions

    @property
    def flat_indices(self) -> IndexArray:
        """The flat indices of all of them, in their order."""
        return self._arrays.indices[self._positions]

    def __len__(self) -> int:
        return len(self._positions)

    @overload
    def __getitem__(self, key: int) -> Finding: ...
    @overload
    def __getitem__(self, key: slice) -> Findings: ...
    def __getitem__(self, key: int | slice) -> Finding | Findings:
        if isinstance(key, slice):
            return Findings(self._parameters, self._arrays, self._positions[key])
        return make_finding(self._parameters, self._arrays, int(self._positions[key]))

    def __iter__(self) -> Iterator[Finding]:
        return (self[k] for k in range(len(self)))

    def __repr__(self) -> str:
        shown = ", ".join(f.label for f in self[:5])
        return f"<{len(self)} coordinates{': ' if shown else ''}{shown}{', ...' * (len(self) > 5)}>"


def make_finding(parameters: Parameters, arrays: Arrays, position: int) -> Finding:
    """The coordinate at a position among the checked ones."""
    flat_index = int(arrays.indices[position])
    code, cause = arrays.cause(position)
    block = parameters.block_of(flat_index)
    return Finding(
        block=block.name,
        index=block.index(flat_index),
        flat_index=flat_index,
        label=block.label(flat_index),
        claimed=float(arrays.claimed[position]),
        numeric=float(arrays.numeric[position]),
        error_bound=float(arrays.error_bound[position]),
        allowed=float(arrays.allowed[position]),
        resolution=float(arrays.resolution[position]),
        code=code,
        cause=cause,
    )
