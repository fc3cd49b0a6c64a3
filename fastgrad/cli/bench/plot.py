"""Horizontal bars by matplotlib (extra `plot`), which is imported when something is drawn.

BenchResult.plot and the repository's benchmarks draw with bar_chart and write with save. cli/main.py calls
check_drawable before it measures. Each of the three raises InputError where matplotlib is missing; save and
check_drawable also where it does not know the ending, or the file cannot be written.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from fastgrad.errors import InputError
from fastgrad.report.plots import style_of_matplotlib

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDTH = 8.6
"""Inches. An SVG has 72 points and so 96 pixels an inch: 826 pixels are as wide as a README is shown."""

BAR, BETWEEN, AROUND = 0.125, 0.07, 1.3
"""Inches: the height of a bar, the space between two rows, the height of title, legend, axis and caption."""

MARGIN = 0.08
"""Of the length of the axis, beyond the longest bar: room for the number beside it."""

FONT = 8.0
"""Points. A line of text is then a little lower than a bar."""

STYLE = (
    "tableau-colorblind10",
    {
        "font.size": FONT,
        "font.sans-serif": ["DejaVu Sans"],  # comes with matplotlib: the layout is that of every machine
        "text.parse_math": False,  # a dollar sign in a label is a dollar sign
        "svg.fonttype": "none",  # text in an SVG stays text
        "svg.hashsalt": "fastgrad",  # marks in an SVG are named by it: the same chart is the same file
    },
)

UNDATED = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}
"""Metadata without the day: a file does not change with the day it is drawn on."""


def bar_chart(
    title: str,
    groups: Mapping[str, Mapping[str, float]],
    shown: Callable[[float], str],
    caption: str = "",
    start: float | None = None,
) -> Figure:
    """Horizontal bars on a logarithmic axis, a colour for each group, with a legend of the groups.

    Parameters
    ----------
    title : above the bars
    groups : for each group the values above 0 by row; in a row the groups are below one another
    shown : what is written beside a bar of this value
    caption : below the bars
    start : the value at which bars start, to the right and to the left; by default a tenth of the smallest

    Examples
    --------
    >>> figure = bar_chart("speed", {"a": {"loop": 1.0, "fast": 100.0}}, "{:.0f}".format)
    >>> [text.get_text() for text in figure.axes[0].texts]
    ['1', '100']
    """
    style = style_of_matplotlib()
    from matplotlib.figure import Figure

    rows = list(dict.fromkeys(row for values in groups.values() for row in values))
    if start is None:
        start = min((v for values in groups.values() for v in values.values()), default=1.0) / 10
    height = len(groups) * BAR + BETWEEN
    with style.context(STYLE):
        figure = Figure(figsize=(WIDTH, AROUND + len(rows) * height), layout="constrained")
        axes = figure.subplots()
        for k, (name, values) in enumerate(groups.items()):
            places = [rows.index(row) + BAR / height * (k - (len(groups) - 1) / 2) for row in values]
            lengths = [value - start for value in values.values()]
            bars = axes.barh(places, lengths, BAR / height, start, label=name)
            axes.bar_label(bars, [shown(value) for value in values.values()], padding=3)
        axes.update_datalim([(start, 0), (10 * start, 0)])  # where there is no bar, the axis has a decade
        axes.axvline(start, color="black", linewidth=0.8)
        axes.set(xscale="log", xmargin=MARGIN, ylim=(max(len(rows), 1) - 0.5, -0.5))
        axes.xaxis.set_major_formatter("{x:,.9g}")
        axes.set_yticks(range(len(rows)), rows)
        axes.tick_params(axis="y", length=0)
        axes.spines[["left", "right", "top"]].set_visible(False)
        figure.legend(  # its title is the figure's: the layout would put a suptitle over it
            title=title,
            title_fontsize=FONT + 3,
            alignment="left",
            loc="outside upper left",
            ncols=9,
            frameon=False,
        )
        figure.supxlabel(caption, x=0.01, ha="left", fontsize=FONT - 2, wrap=True)
    return figure


def save(figure: Figure, path: str | Path) -> None:
    """Write a chart to a file: SVG, or what the ending of the file says. It is the same file on any day."""
    kind = _kind(path)
    with style_of_matplotlib().context(STYLE), _writing(path):
        figure.savefig(path, format=kind, metadata=UNDATED.get(kind))


def check_drawable(path: str | Path) -> None:
    """Refuse a path to which save could not write; whatever file is there, or not there, stays as it is."""
    _kind(path)
    new = not Path(path).exists()
    with _writing(path), Path(path).open("ab"):
        pass
    if new:
        Path(path).unlink()


@contextlib.contextmanager
def _writing(path: str | Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror or error}", code="FG904") from error


def _kind(path: str | Path) -> str:
    style_of_matplotlib()
    from matplotlib.backend_bases import FigureCanvasBase

    kind = Path(path).suffix[1:].lower() or "svg"
    known = FigureCanvasBase.get_supported_filetypes()
    if kind not in known:
        raise InputError(
            f"matplotlib cannot draw to {path}: the ending must be one of {', '.join(known)}", code="FG904"
        )
    return kind
