"""What `fastgrad bench` found: as a table, as JSON, as a picture.

measure.py makes a BenchResult of its rows; cli/main.py prints it and has it drawn.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from fastgrad.cli.bench.plot import bar_chart, save
from fastgrad.report.plain_table import plain_table

VERSION = 1
"""The version of the JSON. It is raised when a field changes its meaning or goes."""

TITLE = "fastgrad: coordinates per second (logarithmic)"
"""The title of the picture."""

HEADER = ("engine", "problem", "workers", "coordinates/s", "evaluations/s", "efficiency", "share of peak")
"""The heads of the table's columns. The columns of numbers start at the third."""


@dataclass(frozen=True)
class Row:
    """How fast an engine is with a number of workers.

    `efficiency` is its speed over that of one worker, divided by the number of workers. `share_of_peak` is
    its floating-point operations per second over those of a BLAS product on one core, or None where the
    number of operations of an evaluation is not known.
    """

    engine: str
    problem: str
    workers: int
    coordinates_per_second: float
    evaluations_per_second: float
    efficiency: float
    share_of_peak: float | None = None


@dataclass(frozen=True)
class BenchResult:
    """What was measured, on what, and how long it took.

    Examples
    --------
    >>> row = Row("python", "a network", 1, 2e3, 4e3, 1.0)
    >>> print(BenchResult((row,), "some processor, 2 cores", {"numpy": "2.4"}, 7.0))
    engine  problem    workers  coordinates/s  evaluations/s  efficiency  share of peak
    python  a network        1          2,000          4,000        1.00
    <BLANKLINE>
    some processor, 2 cores; numpy 2.4; measured in 7 s
    """

    rows: tuple[Row, ...]
    machine: str
    versions: dict[str, str]
    seconds: float

    def __str__(self) -> str:
        table = plain_table(HEADER, map(_cells, self.rows), right=range(2, len(HEADER)))
        return f"{table}\n\n{self._caption}; measured in {self.seconds:.0f} s"

    @property
    def _caption(self) -> str:
        return "; ".join([self.machine, ", ".join(f"{k} {v}" for k, v in self.versions.items())])

    def to_json(self) -> str:
        """The rows, the machine, the versions and the seconds as JSON.

        Examples
        --------
        >>> BenchResult((), "m", {}, 1.0).to_json()
        '{"version": 1, "rows": [], "machine": "m", "versions": {}, "seconds": 1.0}'
        """
        return json.dumps({"version": VERSION, **asdict(self)})

    def plot(self, path: str | Path) -> None:
        """Draw coordinates per second of each engine and number of workers.

        Parameters
        ----------
        path : of the picture; its ending says what kind of file it is: svg, png, pdf

        Raises
        ------
        InputError
            When matplotlib is missing or does not know the ending, or the file cannot be written.
        """
        groups: dict[str, dict[str, float]] = {}
        for row in self.rows:
            workers = f"{row.workers} worker{'s' * (row.workers > 1)}"
            groups.setdefault(workers, {})[row.engine] = row.coordinates_per_second
        save(bar_chart(TITLE, groups, "{:,.0f}".format, self._caption), path)


def _cells(row: Row) -> list[str]:
    share = "" if row.share_of_peak is None else f"{row.share_of_peak:.2f}"
    rates = [f"{r:,.0f}" for r in (row.coordinates_per_second, row.evaluations_per_second)]
    return [row.engine, row.problem, str(row.workers), *rates, f"{row.efficiency:.2f}", share]
