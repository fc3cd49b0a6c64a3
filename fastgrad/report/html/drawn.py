"""The pictures of a report as SVG."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element

import numpy as np

from fastgrad.report.html import svg
from fastgrad.report.html.elements import element
from fastgrad.report.html.svg import Axis, picture
from fastgrad.report.pictures.levels import FIRST_WRONG, MEANINGS, NOT_CHECKED, UNDECIDED_LEVEL

if TYPE_CHECKING:
    from fastgrad.report.pictures.heat_maps import HeatMap
    from fastgrad.report.pictures.scatter import Scatter
    from fastgrad.report.step_curves import StepCurve

WIDEST, HIGHEST, SMALLEST = 400.0, 300.0, 4.0
"""Units of a map at most, and of a cell at least."""

LARGEST = 22.0
"""Units of a cell at most: a small block is a small picture."""

GRID = 56
"""Cells of the picture of claimed against numeric, in each direction."""

FEW = 100
"""Coordinates that agree that have a dot each, at most."""

MANY = (1, 4, 32)
"""Points in such a cell from which it has the first, second and third shade."""


def heat_map_picture(heat_map: HeatMap) -> Element:
    """The cells of a block."""
    rows, columns = heat_map.levels.shape
    wide = min(LARGEST, WIDEST / columns)
    high = min(LARGEST, HIGHEST / rows, wide if not heat_map.folded else LARGEST)
    high = max(high, min(SMALLEST, HIGHEST / rows))
    width, height = columns * wide, rows * high
    box = element("rect", x="1", y="1", width=f"{width:.2f}", height=f"{height:.2f}", class_="frame")
    drawn = [box, svg.cells(heat_map.levels, 1, 1, wide, high)]
    return picture(_said_of_map(heat_map), drawn, width + 2, height + 2)


def _said_of_map(heat_map: HeatMap) -> str:
    """What the map shows, in words."""
    counts = np.bincount(heat_map.levels.ravel(), minlength=len(MEANINGS))
    wrong, undecided = int(counts[FIRST_WRONG:].sum()), int(counts[UNDECIDED_LEVEL])
    rows, columns = heat_map.levels.shape
    return (
        f"Map of {heat_map.name}, {rows} by {columns} cells of {heat_map.of_a_cell} entries at most: "
        f"{wrong:,} cells with a wrong entry, {undecided:,} with an undecided one, "
        f"{int(counts[NOT_CHECKED]):,} without any that was checked."
    )


def legend(levels: set[int]) -> Element:
    """What the colours of some levels mean."""
    rows = [
        element("li", element("span", class_=f"swatch l{level}", aria_hidden="true"), MEANINGS[level])
        for level in sorted(levels)
    ]
    return element("ul", rows, class_="legend")


def scatter_picture(points: Scatter) -> Element:
    """Claimed against numeric: cells where coordinates agree, marks where they do not."""
    side = svg.HEIGHT - svg.TOP - svg.BOTTOM
    left, top = svg.LEFT, svg.TOP
    scale = points.unit if points.threshold else None
    limit = points.limit
    across = Axis(-limit, limit, left, left + side, unit=scale)
    up = Axis(-limit, limit, top + side, top, unit=scale)
    diagonal = svg.line([(left, top + side), (left + side, top)], "guide")
    drawn = [diagonal, _density(points, left, top, side)]
    for some, class_ in zip(points.marked, ("mark undecided", "mark wrong"), strict=True):
        x, y = across.place(points.numeric[some]), up.place(points.claimed[some])
        drawn.append(svg.crosses(x, y, class_))
    said = (
        f"Claimed against numeric for {len(points.claimed):,} coordinates, "
        f"{int(points.wrong.sum()):,} of them wrong; a right one lies on the diagonal."
    )
    names = ("numeric", "claimed")
    return picture(said, [*svg.frame(across, up, names), *drawn], left + side + svg.RIGHT)


def _density(points: Scatter, left: float, top: float, side: float) -> Element:
    """Cells, darker where more coordinates agree; a dot for each where they are few."""
    some = np.flatnonzero(points.right)
    if len(some) <= FEW:
        x, y = points.unit(points.numeric[some]), points.unit(points.claimed[some])
        return svg.dots(left + (x + 1) / 2 * side, top + (1 - y) / 2 * side, "cell l3", 2.5)
    x = (points.unit(points.numeric[points.right]) + 1) / 2
    y = (1 - points.unit(points.claimed[points.right])) / 2
    place = [np.clip(v * GRID, 0, GRID - 1).astype(np.intp) for v in (y, x)]
    counts = np.bincount(place[0] * GRID + place[1], minlength=GRID * GRID).reshape(GRID, GRID)
    shades = np.searchsorted(MANY, counts, side="right")
    return svg.cells(shades, left, top, side / GRID, side / GRID)


def curve_picture(curve: StepCurve) -> Element:
    """The error of the difference by the step: measured, and the two branches that it should follow."""
    values = np.append(curve.errors, curve.allowed)  # the branches go far beyond these, and are cut
    values = values[np.isfinite(values) & (values > 0)]
    low, high = (float(values.min()), float(values.max())) if len(values) else (1e-16, 1.0)
    across = Axis(float(curve.steps.min()), float(curve.steps.max()), svg.LEFT, svg.WIDTH - svg.RIGHT, True)
    low = max(low / 3, svg.LEAST_FLOAT)
    high = max(min(high, svg.MOST_FLOAT / 4) * 3, low)
    up = Axis(low, high, svg.HEIGHT - svg.BOTTOM, svg.TOP, True)
    drawn = svg.frame(across, up, ("step", "error"))
    x = across.place(curve.steps)
    for branch, class_ in ((curve.noise_branch, "noise"), (curve.truncation_branch, "truncation")):
        inside = np.where((branch >= up.low) & (branch <= up.high), branch, np.nan)
        drawn.append(svg.line(np.column_stack((x, up.place(inside))), f"branch {class_}"))
    if np.isfinite(curve.allowed) and curve.allowed > 0:
        y = float(up.place(curve.allowed))
        drawn.append(svg.line([(across.start, y), (across.end, y)], "allowed"))
    measured = np.where(curve.errors <= 0, up.low, curve.errors)  # none at all lies on the lower edge
    drawn.append(svg.dots(x, np.where(np.isfinite(measured), up.place(measured), np.nan), "point"))
    if np.isfinite(curve.taken):
        at = float(across.place(curve.taken))
        drawn.append(svg.line([(at, svg.TOP), (at, svg.HEIGHT - svg.BOTTOM)], "taken"))
    return picture(_said_of_curve(curve), drawn)


def _said_of_curve(curve: StepCurve) -> str:
    """What the curve shows, in words."""
    errors, steps = np.where(np.isfinite(curve.errors), curve.errors, np.inf), curve.steps
    best = int(np.argmin(errors))
    smallest = f"the smallest error, {errors[best]:.2g}, is at {steps[best]:.2g}"
    if not np.isfinite(errors[best]):
        smallest = "at none of them is the error known"
    taken = (
        f"the step that was taken is {curve.taken:.2g}" if np.isfinite(curve.taken) else "no step was taken"
    )
    return (
        f"Error against step for {curve.label}, {len(steps)} steps from {steps.min():.1g} to "
        f"{steps.max():.1g}: {smallest}; {taken}."
    )
