"""A bar chart by matplotlib (extra `plot`), which is imported when something is drawn."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastgrad.errors import InputError

if TYPE_CHECKING:
    from matplotlib.figure import Figure


COLOURS = ("#4477aa", "#cc6677", "#228833", "#aa3377", "#ccbb44")
"""Told apart by the colour-blind as well (Paul Tol, "bright")."""

WIDTH = 8.6
"""Inches. An SVG has 72 points and so 96 pixels an inch: 826 pixels are as wide as a README is shown."""

BAR, BETWEEN, AROUND = 0.125, 0.07, 1.3
"""Inches: the height of a bar, the space between two rows, the height of title, legend, axis and caption."""

FONT = 8.0
"""Points: a line of them is a little lower than a bar."""

MARGIN = 0.08
"""Of the length of the bars, beyond the longest on each side: room for the number beside it."""

CAPTION = 150
"""Characters of a line of the caption, in letters two points smaller: WIDTH holds as many."""

DEFAULT_KIND = "svg"
"""Of a file whose name has no ending."""

STYLE = {
    "font.size": FONT,
    "font.sans-serif": ["DejaVu Sans"],  # comes with matplotlib: the layout is that of every machine
    "text.parse_math": False,  # a dollar sign in a label is a dollar sign
    "svg.fonttype": "none",  # text in an SVG stays text
    "svg.hashsalt": "fastgrad",  # marks in an SVG are named by it: the same chart is the same file
}

UNDATED = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}
"""Metadata by which a file does not change with the day it is drawn on."""


@dataclass(frozen=True)
class Bar:
    """One bar: its row, how long it is, its group (a colour), and what is written beside it."""

    row: str
    value: float
    group: str
    shown: str


def bar_chart(title: str, bars: Sequence[Bar], caption: str = "", start: float | None = None) -> Figure:
    """Horizontal bars on a logarithmic axis, with a legend of the groups.

    Parameters
    ----------
    title : above the bars
    bars : their rows from top to bottom; in a row the groups are below one another; values above 0
    caption : below them
    start : the value at which bars start, to the right and to the left; by default a tenth of the smallest

    Raises
    ------
    InputError
        When matplotlib is missing.

    Examples
    --------
    >>> figure = bar_chart("speed", [Bar("loop", 1.0, "a", "1"), Bar("fast", 100.0, "a", "100")])
    >>> [text.get_text() for text in figure.axes[0].texts]
    ['1', '100']
    """
    matplotlib = _matplotlib()
    from matplotlib.figure import Figure

    rows = list(dict.fromkeys(bar.row for bar in bars))
    groups = list(dict.fromkeys(bar.group for bar in bars))
    values = [bar.value for bar in bars]
    if start is None:
        start = min(values, default=1.0) / 10
    height = AROUND + len(rows) * (len(groups) * BAR + BETWEEN)
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, height), layout="constrained")
        axes = figure.subplots()
        _dress(axes, rows, start, values)
        share = BAR / (len(groups) * BAR + BETWEEN)
        drawn: list[Any] = []
        for k, group in enumerate(groups):
            own = [bar for bar in bars if bar.group == group]
            places = [rows.index(bar.row) + share * (k - (len(groups) - 1) / 2) for bar in own]
            lengths = [bar.value - start for bar in own]
            colour = COLOURS[k % len(COLOURS)]
            drawn.append(axes.barh(places, lengths, share, start, label=group, color=colour))
            axes.bar_label(drawn[-1], [bar.shown for bar in own], padding=3)
        figure.legend(  # its title is the figure's: the layout would put a suptitle over it
            handles=drawn,
            title=title,
            title_fontsize=FONT + 3,
            alignment="left",
            loc="outside upper left",
            ncols=max(1, len(groups)),
            frameon=False,
        )
        figure.supxlabel("\n".join(textwrap.wrap(caption, CAPTION)), x=0.01, ha="left", fontsize=FONT - 2)
    return figure


def _dress(axes: Any, rows: list[str], start: float, values: list[float]) -> None:
    """Everything but the bars."""
    axes.set_xscale("log")
    axes.set_xlim(_ends(start, values))
    axes.xaxis.set_major_formatter("{x:,.9g}")
    axes.set_yticks(range(len(rows)), rows)
    axes.set_ylim(max(len(rows), 1) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.spines[["left", "right", "top"]].set_visible(False)
    axes.axvline(start, color="black", linewidth=0.8)


def _ends(start: float, values: list[float]) -> tuple[float, float]:
    """The ends of the axis: no room to the left where no bar goes there."""
    low, high = min([start, *values]), max([start, *values])
    room = max(high / low, 10) ** MARGIN
    return low / room if low < start else start, high * room


def save(figure: Figure, path: str | Path) -> None:
    """Write a chart to a file; the same chart is the same file on any day.

    Parameters
    ----------
    figure : from bar_chart
    path : of the picture; its ending says what kind of file it is

    Raises
    ------
    InputError
        When matplotlib does not know the ending.
    """
    kind = file_kind(path)
    with _matplotlib().rc_context(STYLE):
        figure.savefig(path, format=kind, metadata=UNDATED.get(kind))


def file_kind(path: str | Path) -> str:
    """The kind of picture that a file's ending asks for; SVG where it has none.

    Parameters
    ----------
    path : of the picture

    Raises
    ------
    InputError
        When matplotlib is missing or does not know the ending.

    Examples
    --------
    >>> file_kind("speed.pdf"), file_kind("speed")
    ('pdf', 'svg')
    """
    _matplotlib()
    from matplotlib.backend_bases import FigureCanvasBase

    kind = Path(path).suffix[1:].lower() or DEFAULT_KIND
    known = FigureCanvasBase.get_supported_filetypes()
    if kind not in known:
        raise InputError(f"matplotlib cannot draw to {path}: the ending must be one of {', '.join(known)}")
    return kind


def _matplotlib() -> Any:
    try:
        import matplotlib
    except ImportError as error:
        raise InputError(
            "drawing needs matplotlib, which is not installed: pip install fastgrad[plot]"
        ) from error
    return matplotlib
