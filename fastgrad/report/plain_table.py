"""A table as plain text, as wide as its cells: for reports, measurements and benchmarks."""

from __future__ import annotations

import io
from collections.abc import Collection, Iterable, Sequence

WIDEST = 10_000
"""Columns at most: tables are as wide as they need, and nothing in them is cut."""


def plain_table(header: Sequence[str], rows: Iterable[Sequence[str]], right: Collection[int] = ()) -> str:
    """Cells in columns two spaces apart, without lines, colours or trailing spaces.

    Parameters
    ----------
    header : the columns' heads
    rows : cells as text, as many in each row as there are heads
    right : the numbers of the columns that are aligned to the right; the others are to the left

    Examples
    --------
    >>> print(plain_table(("step", "error"), [("1e-1", "0.002"), ("1e-2", "2e-05")], right=(1,)))
    step  error
    1e-1  0.002
    1e-2  2e-05
    """
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, show_edge=False, padding=(0, 2, 0, 0))
    for k, name in enumerate(header):
        table.add_column(name, justify="right" if k in right else "left", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    out = io.StringIO()
    # The console would else wrap, colour, and turn [3] into markup, :key: into a picture.
    console = Console(
        file=out, width=WIDEST, color_system=None, markup=False, emoji=False, force_jupyter=False
    )
    console.print(table)
    return "\n".join(line.rstrip() for line in out.getvalue().rstrip("\n").split("\n"))
