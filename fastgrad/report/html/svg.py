"""A picture as SVG: a frame with two axes, on which points, lines and cells are drawn.

The axes know how values become places. Colours are classes that the page's style gives a colour, for light
and dark pages. Text in a picture is text, and each picture says in words what it shows.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from xml.etree.ElementTree import Element

import numpy as np
import numpy.typing as npt

from fastgrad.arrays import Floats
from fastgrad.report.html.elements import element

WIDTH, HEIGHT = 420.0, 280.0
"""Units of a picture. On a phone of 390 pixels a unit is 0.85 pixels, and text of 12 can be read."""

LEFT, RIGHT, TOP, BOTTOM = 64.0, 20.0, 12.0, 44.0
"""Units between the frame and the edge."""

TICKS = 6
"""Ticks on an axis, about."""

APART = 0.3
"""The share of half an axis between two ticks of a scale that is logarithmic on both sides of zero."""


LEAST_FLOAT, MOST_FLOAT = float(np.finfo(np.float64).tiny), float(np.finfo(np.float64).max)
"""Floats of full precision: the powers of ten beside smaller ones are 0."""


@dataclass(frozen=True)
class Axis:
    """Values from `low` to `high`, as places from `start` to `end` of a picture."""

    low: float
    high: float
    start: float
    end: float
    logarithmic: bool = False
    unit: Callable[[Floats], Floats] | None = None
    """Values as shares of -1 to 1, where the scale is neither linear nor logarithmic."""

    def place(self, values: npt.ArrayLike) -> Floats:
        """Where values are, held within the frame."""
        values = np.asarray(values, dtype=np.float64)
        if self.unit is not None:
            share = (self.unit(values) + 1) / 2
        elif self.logarithmic:
            with np.errstate(divide="ignore"):
                low, high = math.log10(self.low), math.log10(self.high)
                share = (np.log10(values) - low) / ((high - low) or 1.0)
        else:
            low, high = self.low / 2, self.high / 2  # the whole may be larger than any float
            share = (values / 2 - low) / ((high - low) or 1.0)
        return np.asarray(self.start + np.clip(share, 0, 1) * (self.end - self.start))

    def ticks(self) -> list[float]:
        """Some round values on the axis."""
        if self.logarithmic:
            first, last = math.ceil(math.log10(self.low)), math.floor(math.log10(self.high))
            each = max(1, math.ceil((last - first + 1) / TICKS))
            return [10.0**k for k in range(first, last + 1, each)]
        if self.unit is not None:
            return _decades_on_both_sides(self.unit, self.high)
        return _round_values(self.low, self.high)


def _decades_on_both_sides(unit: Callable[[Floats], Floats], high: float) -> list[float]:
    """Zero and powers of ten that are far enough from it, and from one another, to be told apart."""
    last = math.floor(math.log10(high))
    found: list[float] = []
    place = 1.2
    for k in range(last, last - 12, -1):
        at = float(unit(np.array(10.0**k)))
        if at < APART:
            break
        if place - at >= APART:
            found.append(10.0**k)
            place = at
    return [-v for v in found] + [0.0] + found[::-1]


def _round_values(low: float, high: float) -> list[float]:
    """Multiples of 1, 2 or 5 times a power of ten."""
    if not high > low:
        return [low]
    rough = high / TICKS - low / TICKS
    if rough < LEAST_FLOAT:
        return [low, high]
    decade = 10.0 ** math.floor(math.log10(rough))
    each = next(times * decade for times in (1, 2, 5, 10) if times * decade >= rough)
    near = 1e-9  # of a tick, for limits that are multiples but for rounding
    return [k * each for k in range(math.ceil(low / each - near), math.floor(high / each + near) + 1)]


def picture(title: str, drawn: Sequence[Element], width: float = WIDTH, height: float = HEIGHT) -> Element:
    """The SVG element with what is drawn in it.

    Parameters
    ----------
    title : what it shows, for those who do not see it
    drawn : elements, the later ones above the earlier ones
    width, height : units
    """
    return element(
        "svg",
        drawn,
        viewbox=f"0 0 {_number(width)} {_number(height)}",
        role="img",
        aria_label=title,
        style=f"max-width:{_number(width * 1.5)}px",
    )


def frame(across: Axis, up: Axis, names: tuple[str, str]) -> list[Element]:
    """The frame, its ticks and the names of the axes."""
    left, right, top, bottom = across.start, across.end, up.end, up.start
    box = element(
        "rect",
        x=_number(left),
        y=_number(top),
        width=_number(right - left),
        height=_number(bottom - top),
        class_="frame",
    )
    drawn = [box]
    for value, x in zip(across.ticks(), across.place(across.ticks()), strict=True):
        drawn += [line([(x, bottom), (x, bottom + 4)], "tick"), label(shown(value), x, bottom + 16, "middle")]
    for value, y in zip(up.ticks(), up.place(up.ticks()), strict=True):
        drawn += [line([(left - 4, y), (left, y)], "tick"), label(shown(value), left - 7, y + 4, "end")]
    middle = (top + bottom) / 2
    turned = element(
        "text",
        names[1],
        x=0,
        y=0,
        class_="axis",
        text_anchor="middle",
        transform=f"translate(11 {_number(middle)}) rotate(-90)",
    )
    return [*drawn, label(names[0], (left + right) / 2, bottom + 34, "middle", "axis"), turned]


def shown(value: float) -> str:
    """A tick's value in a few characters."""
    text = f"{value:.3g}"
    return text.replace("e-0", "e-").replace("e+0", "e").replace("e+", "e")


def label(text: str, x: float, y: float, anchor: str = "start", class_: str = "value") -> Element:
    """Text at a place."""
    return element("text", text, x=_number(x), y=_number(y), text_anchor=anchor, class_=class_)


def line(points: Sequence[tuple[float, float]] | Floats, class_: str) -> Element:
    """A line through points; it is broken where one is not finite."""
    path, pen = [], "M"
    for x, y in points:
        if math.isfinite(x) and math.isfinite(y):
            path.append(f"{pen}{_number(x)} {_number(y)}")
            pen = "L"
        else:
            pen = "M"
    return element("path", d="".join(path), class_=class_)


def dots(x: Floats, y: Floats, class_: str, radius: float = 3.0) -> Element:
    """A round mark at each point, all in one path."""
    r, d = _number(radius), _number(2 * radius)
    each = [
        f"M{_number(a - radius)} {_number(b)}a{r} {r} 0 1 0 {d} 0a{r} {r} 0 1 0 -{d} 0"
        for a, b in zip(x.tolist(), y.tolist(), strict=True)
        if math.isfinite(a) and math.isfinite(b)
    ]
    return element("path", d="".join(each), class_=class_)


def crosses(x: Floats, y: Floats, class_: str, radius: float = 3.5) -> Element:
    """A cross at each point, all in one path: told from dots without colours."""
    d = _number(2 * radius)
    each = [
        f"M{_number(a - radius)} {_number(b - radius)}l{d} {d}m0 -{d}l-{d} {d}"
        for a, b in zip(x.tolist(), y.tolist(), strict=True)
    ]
    return element("path", d="".join(each), class_=class_)


def cells(codes: npt.NDArray[Any], left: float, top: float, wide: float, high: float) -> Element:
    """A path for each code above 0 in a grid of cells; neighbours in a row are one rectangle.

    The paths count in cells, which are scaled: edges that two cells share are the same numbers, and no line
    shows between them.

    Parameters
    ----------
    codes : (rows, columns) of small integers; 0 draws nothing. A cell of code k has the class lk
    left, top : where the grid begins
    wide, high : of a cell
    """
    paths: dict[int, list[str]] = {}
    for row, line_of_codes in enumerate(codes):
        ends = (np.flatnonzero(np.diff(line_of_codes)) + 1).tolist()
        for start, end in zip([0, *ends], [*ends, len(line_of_codes)], strict=True):
            if code := int(line_of_codes[start]):
                paths.setdefault(code, []).append(f"M{start} {row}h{end - start}v1h-{end - start}z")
    drawn = [element("path", d="".join(paths[code]), class_=f"cell l{code}") for code in sorted(paths)]
    moved = f"translate({_number(left)} {_number(top)}) scale({wide:.6g} {high:.6g})"
    return element("g", drawn, transform=moved)


def _number(value: float) -> str:
    """A coordinate with a hundredth of a unit, without zeros at the end."""
    return f"{value:.2f}".rstrip("0").rstrip(".")
