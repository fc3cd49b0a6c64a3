"""What `fastgrad bench` found: as a table, as JSON, as a picture."""

from __future__ import annotations

import io
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from fastgrad.cli.bench.svg import Bar, bar_chart

VERSION = 1
"""Of the JSON."""


@dataclass(frozen=True)
class Row:
    """An engine with a number of workers.

    `efficiency` is its speed over that of one worker, divided by the number of workers; `share_of_peak` its
    arithmetic over that of a BLAS product on one core, where the arithmetic of an evaluation is known.
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
        from rich import box
        from rich.console import Console
        from rich.table import Table

        table = Table(box=box.SIMPLE, show_edge=False, pad_edge=False, padding=(0, 1))
        table.box = None
        for head in ("engine", "problem"):
            table.add_column(head)
        for head in ("workers", "coordinates/s", "evaluations/s", "efficiency", "share of peak"):
            table.add_column(head, justify="right")
        for row in self.rows:
            table.add_row(*_cells(row))
        console = Console(file=io.StringIO(), width=200, color_system=None, highlight=False)
        console.print(table)
        assert isinstance(console.file, io.StringIO)
        lines = [line.rstrip() for line in console.file.getvalue().splitlines()]
        return "\n".join([*lines, "", f"{self._caption}; measured in {self.seconds:.0f} s"])

    @property
    def _caption(self) -> str:
        return "; ".join([self.machine, ", ".join(f"{k} {v}" for k, v in self.versions.items())])

    def to_json(self) -> str:
        """All of it as JSON.

        Examples
        --------
        >>> BenchResult((), "m", {}, 1.0).to_json()
        '{"version": 1, "rows": [], "machine": "m", "versions": {}, "seconds": 1.0}'
        """
        return json.dumps({"version": VERSION, **asdict(self)})

    def to_svg(self) -> str:
        """Coordinates per second of each engine and number of workers, as SVG."""
        bars = [
            Bar(
                f"{row.engine}, {row.workers} worker{'s' * (row.workers > 1)}",
                row.coordinates_per_second,
                row.engine,
                f"{row.coordinates_per_second:,.0f}",
            )
            for row in self.rows
        ]
        return bar_chart("fastgrad: coordinates per second (logarithmic)", bars, self._caption)

    def plot(self, path: str | Path) -> None:
        """Write the picture to a file.

        Parameters
        ----------
        path : of an SVG file
        """
        Path(path).write_text(self.to_svg(), encoding="utf-8")


def _cells(row: Row) -> list[str]:
    share = "" if row.share_of_peak is None else f"{row.share_of_peak:.2f}"
    rates = [f"{r:,.0f}" for r in (row.coordinates_per_second, row.evaluations_per_second)]
    return [row.engine, row.problem, str(row.workers), *rates, f"{row.efficiency:.2f}", share]
