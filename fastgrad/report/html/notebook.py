"""What a notebook shows of a report: the verdict, the blocks, one picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element

from fastgrad.printable import shown_names
from fastgrad.report.html import sections
from fastgrad.report.html.drawn import heat_map_picture, legend, scatter_picture
from fastgrad.report.html.elements import element, html_of, verbatim
from fastgrad.report.html.page import own_file, verdict_of_several
from fastgrad.report.pictures.heat_maps import heat_maps
from fastgrad.report.pictures.scatter import scatter

if TYPE_CHECKING:
    from fastgrad.report.data import ReportData


def cell_of(report: ReportData) -> str:
    """A fragment of HTML with its own style."""
    parts = [
        sections.verdict(report, "p"),
        sections.block_table(report),
        sections.sentences(report.diagnosis),
        _one_picture(report),
    ]
    return html_of(element("div", verbatim("style", own_file("page.css")), parts, class_="fastgrad"))


def cell_of_several(
    reports: Mapping[str, ReportData], verdict: str, headline: str, said: Sequence[str]
) -> str:
    """A fragment of HTML on several reports: the verdict over all, and that of each check.

    Parameters
    ----------
    reports, verdict, headline, said : as for page_of_several
    """
    names = shown_names(list(reports))
    checks = [f"{name}: {one.verdict}" for name, one in zip(names, reports.values(), strict=True)]
    top = verdict_of_several(verdict, headline, checks, said, "p")
    return html_of(element("div", verbatim("style", own_file("page.css")), top, class_="fastgrad"))


def _one_picture(report: ReportData) -> Element | None:
    """The map of the worst block where something is wrong, else what was claimed against numeric."""
    found = heat_maps(report, most=1)
    if report.wrong and found:
        levels = {int(level) for level in found[0].levels.ravel()}
        said = element("figcaption", element("b", found[0].name), ": error over allowed")
        return element("figure", heat_map_picture(found[0]), said, legend(levels))
    points = scatter(report)
    if points is None:
        return None
    return element("figure", scatter_picture(points), element("figcaption", "claimed against numeric"))
