"""The pictures of a report's page, each with a caption that says how it is read."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element

import numpy as np

from fastgrad.report.html.drawn import FEW, curve_picture, heat_map_picture, legend, scatter_picture
from fastgrad.report.html.elements import element, unbroken
from fastgrad.report.html.sections import section
from fastgrad.report.html.tables import count, real, table
from fastgrad.report.pictures.heat_maps import heat_maps
from fastgrad.report.pictures.scatter import scatter

if TYPE_CHECKING:
    from fastgrad.report.data import ReportData
    from fastgrad.report.pictures.heat_maps import HeatMap
    from fastgrad.report.step_curves import StepCurve, StepCurves


def maps(report: ReportData, prefix: str) -> Element | None:
    """Where in each block the errors are."""
    found = heat_maps(report)
    if not found:
        return None
    levels = {int(level) for heat_map in found for level in np.unique(heat_map.levels)}
    hidden = sum(row.checked > 0 and row.size > 1 for row in report.blocks) - len(found)
    return section(
        f"{prefix}maps",
        "Error over allowed",
        element("p", "A cell is as bad as the worst entry in it."),
        legend(levels),
        element("div", [_map(one) for one in found], class_="figures"),
        element("p", f"{hidden:,} more blocks with as many or fewer wrong are not drawn.")
        if hidden
        else None,
    )


def _map(heat_map: HeatMap) -> Element:
    rows, columns = heat_map.sheet
    said = f", {rows:,} rows and {columns:,} columns"
    if heat_map.folded:
        said = f", read line by line, {columns:,} entries each"
    elif len(heat_map.shape) > 2:
        said = f", a row for each first index, {columns:,} entries each"
    elif len(heat_map.shape) < 2:
        said = f", {columns:,} entries"
    if heat_map.of_a_cell > 1:
        said += f"; {heat_map.each[0]:,} by {heat_map.each[1]:,} entries in a cell"
    caption = element("figcaption", element("b", heat_map.name), said)
    return element("figure", heat_map_picture(heat_map), caption)


def claimed_against_numeric(report: ReportData, prefix: str) -> Element | None:
    """A point for each coordinate."""
    points = scatter(report)
    if points is None:
        return None
    drawn_as = "a dot each" if np.count_nonzero(points.right) <= FEW else "cells, darker where there are more"
    said = f"Coordinates that agree lie on the diagonal, {drawn_as}. "
    said += "Crosses are coordinates that are wrong or undecided."
    if hidden := int(np.count_nonzero(~points.right)) - sum(map(len, points.marked)):
        said += f" The worst are drawn, {hidden:,} more are not."
    if points.threshold:
        said += f" Beyond {points.threshold:.0e} on both sides of zero the axes are logarithmic."
    if points.left_out:
        said += f" {points.left_out:,} are left out: one of the two numbers is not finite."
    figure = element("figure", scatter_picture(points), element("figcaption", said))
    return section(f"{prefix}scatter", "Claimed against numeric", figure)


def curves(found: StepCurves, prefix: str) -> Element | None:
    """The error by the step, for the coordinates that are worst."""
    if not found.curves and not found.sentence:
        return None
    said = element(
        "p",
        "Points: how far the difference at each step is from the estimate of the check. Falling line: "
        "rounding and noise over the step. Rising line: what the curvature of the cost leaves out. Upright "
        "line: the step that was taken. Dashed line: what was allowed.",
    )
    figures = element("div", [_curve(one) for one in found.curves], class_="figures")
    parts = [said, figures] if found.curves else []
    reason = element("p", found.sentence) if found.sentence else None
    return section(f"{prefix}steps", "Error against step", parts, reason)


def _curve(curve: StepCurve) -> Element:
    caption = (
        f": claimed {curve.claimed:.6g}, numeric {curve.numeric:.6g}, error bound {curve.error_bound:.1e}"
    )
    rows = [
        (real(step, ".3g"), real(slope, ".9g"), real(error, ".2e"))
        for step, slope, error in zip(curve.steps, curve.slopes, curve.errors, strict=True)
    ]
    numbers = element(
        "details",
        element("summary", f"Numbers ({count(len(rows)).text} steps)"),
        table(f"Differences of {curve.label} by step", ("step", "difference", "error"), rows),
    )
    return element(
        "figure",
        curve_picture(curve),
        element("figcaption", element("b", curve.label), unbroken(caption)),
        numbers,
    )
