"""A bar chart as SVG, which every browser draws and which needs no library."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

COLOURS = ("#4477aa", "#cc6677", "#228833", "#aa3377", "#ccbb44")
"""Told apart by the colour-blind as well (Paul Tol, "bright")."""

ROW, GAP, LABELS, BARS, VALUES = 18, 4, 330, 420, 90
"""Heights of a bar and of the space below it, and widths of the three columns, in pixels."""

SHORTEST = 2.0
"""Pixels of the shortest bar."""


@dataclass(frozen=True)
class Bar:
    """One bar: what it is of, how long, of which group (colour), and what is written beside it."""

    label: str
    value: float
    group: str
    shown: str


def bar_chart(title: str, bars: Sequence[Bar], caption: str = "") -> str:
    """Horizontal bars of a logarithmic length, from a tenth of the smallest, with a legend of the groups.

    Parameters
    ----------
    title : above the bars
    bars : from top to bottom; values above 0
    caption : below them

    Examples
    --------
    >>> picture = bar_chart("speed", [Bar("loop", 1.0, "a", "1"), Bar("fast", 100.0, "a", "100")])
    >>> picture.startswith("<svg"), picture.count("<rect")
    (True, 4)
    """
    groups = list(dict.fromkeys(bar.group for bar in bars))
    colour = {group: COLOURS[k % len(COLOURS)] for k, group in enumerate(groups)}
    width = LABELS + BARS + VALUES
    parts = [_text(10, 22, title, size=15)]
    top = 34
    for k, group in enumerate(groups):
        parts += [_box(10 + 200 * k, top, 12, 12, colour[group]), _text(27 + 200 * k, top + 11, group)]
    top += 26
    for bar, length in zip(bars, _lengths([bar.value for bar in bars]), strict=True):
        parts += [
            _text(LABELS - 8, top + 13, bar.label, anchor="end"),
            _box(LABELS, top, length, ROW - 2, colour[bar.group]),
            _text(LABELS + length + 6, top + 13, bar.shown),
        ]
        top += ROW + GAP
    for line in _wrapped(caption, 130):
        top += 16
        parts.append(_text(10, top, line, size=10))
    height = top + 14
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" font-family="sans-serif">'
    )
    return "\n".join([head, _box(0, 0, width, height, "#ffffff"), *parts, "</svg>\n"])


def _lengths(values: Sequence[float]) -> list[float]:
    if not values:
        return []
    lowest = math.log10(min(values)) - 1
    span = math.log10(max(values)) - lowest
    return [max(SHORTEST, BARS * (math.log10(value) - lowest) / span) for value in values]


def _box(x: float, y: float, width: float, height: float, fill: str) -> str:
    return f'<rect x="{x:g}" y="{y:g}" width="{width:.1f}" height="{height:g}" fill="{fill}"/>'


def _text(x: float, y: float, what: str, size: int = 12, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:g}" font-size="{size}" text-anchor="{anchor}">{escape(what)}</text>'


def _wrapped(text: str, width: int) -> list[str]:
    import textwrap

    return textwrap.wrap(text, width)
