"""The lines of the user's code that the likely mistakes are about, where a recording of the cost knows them."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element

from fastgrad.report.html.elements import element

if TYPE_CHECKING:
    from fastgrad.report.report import Report


def code_lines(report: Report) -> Element | None:
    """The lines of the cost in which the blocks that are wrong are first used."""
    lines = getattr(report, "code_lines", tuple)()
    if not lines:
        return None
    parts = [element("p", "Where the cost uses the blocks that are wrong:")]
    for name, found in groupby(lines, key=lambda one: one.block):
        parts += [element("p", element("b", name)), *(_line(one) for one in found)]
    return element("div", parts)
