"""The report: what was found, as data. Its faces stand in text.py and json.py."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from os import PathLike
from typing import overload

import numpy as np
import numpy.typing as npt

from fastgrad.errors import GradientError
from fastgrad.parameters import IndexArray, Parameters
from fastgrad.sampling import Coverage
from fastgrad.verdict import AGREE, UNDECIDED


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
    cause: str

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
    worst: Finding | None

    @property
    def verdict(self) -> str:
        """The verdict on the block's checked coordinates; "undecided" where none was checked."""
        from fastgrad.verdict import overall

        return overall(self.wrong, self.undecided) if self.checked or not self.size else UNDECIDED


@dataclass(frozen=True, eq=False)
class Arrays:
    """Everything known of the checked coordinates, each array of length m."""

    indices: IndexArray
    claimed: npt.NDArray[np.float64]
    numeric: npt.NDArray[np.float64]
    error_bound: npt.NDArray[np.float64]
    allowed: npt.NDArray[np.float64]
    cause: Callable[[int], str]  # why the coordinate at a position is wrong or undecided, when asked


class Findings(Sequence[Finding]):
    """Coordinates, worst first, each built when it is looked at (there may be millions)."""

    def __init__(self, parameters: Parameters, arrays: Arrays, positions: IndexArray) -> None:
        self._parameters = parameters
        self._arrays = arrays
        self._positions = positions

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
        cause=arrays.cause(position),
    )


@dataclass(frozen=True, eq=False, repr=False)
class Report:
    """What a check found; `str(report)` is the text, `report.to_json()` the machine's version.

    Arrays `indices`, `claimed`, `numeric` and `error_bound` have an entry for each checked coordinate, in
    the units of the gradient.

    Examples
    --------
    >>> import fastgrad
    >>> report = fastgrad.check_gradient(lambda x: x**2, lambda x: 2.1 * x, 3.0)
    >>> report
    <fastgrad.Report: disagree, 1 wrong and 0 undecided of 1, relative error 2.44e-02>
    >>> print(report)  # doctest: +ELLIPSIS
    DISAGREE: 1 of 1 checked coordinates is wrong; it is params: claimed 6.3, numeric 6...
    """

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
    notes: tuple[str, ...] = field(default=())
    witnesses: tuple[str, ...] = ()
    """What independent tests said: the complex step, the path integral of the gradient."""
    diagnosis: tuple[str, ...] = ()
    """Sentences that name the likely mistakes."""
    doubt: str = ""
    """Why the verdict is not "agree" though every checked coordinate does: a budget, or a failed probe."""
    stopped: str = ""
    """Why the check ended early: a budget, or "interrupted"; empty where it did not."""
    spent: dict[str, int] = field(default_factory=dict)
    """Evaluations by what they were made for: set-up, certificate, subset, localisation."""

    @property
    def passed(self) -> bool:
        """Whether the verdict is "agree"."""
        return self.verdict == AGREE

    def __str__(self) -> str:
        from fastgrad.report.text import to_text

        return to_text(self)

    def __repr__(self) -> str:
        return (
            f"<fastgrad.Report: {self.verdict}, {len(self.wrong)} wrong and {len(self.undecided)} "
            f"undecided of {self.coverage.checked}, relative error {self.relative_error:.2e}>"
        )

    def to_json(self, path: str | PathLike[str] | None = None) -> str:
        """The report as JSON with a version field, also written to `path` if one is given.

        Numbers that are not finite are the strings "nan", "inf" and "-inf", for JSON has none.
        """
        from fastgrad.report.json import to_json

        text = to_json(self)
        if path is not None:
            with open(path, "w", encoding="utf-8") as file:
                file.write(text + "\n")
        return text

    def raise_if_failed(self) -> None:
        """Raise GradientError with this report's text unless the verdict is "agree"."""
        if not self.passed:
            raise GradientError(self)
