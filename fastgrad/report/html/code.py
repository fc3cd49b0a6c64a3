"""The lines of code that the likely mistakes are about, where a recording of the cost knows them."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element

from fastgrad.report.code_lines import code_lines
from fastgrad.report.html.elements import element

if TYPE_CHECKING:
    from fastgrad.report.code_lines import CodeLine
    from fastgrad.report.data import ReportData


def lines_of_code(report: ReportData) -> Element | None:
    """The lines of the cost in which the blocks that are wrong are first used; None where none is known."""
    lines = code_lines(report.revisit).lines
    if not lines:
        return None
    parts = [element("p", "Where the cost uses the blocks that are wrong:")]
    for name, found in groupby(lines, key=lambda one: one.block):
        parts += [element("p", element("b", name)), *(_line(one) for one in found)]
    return element("div", parts)


def _line(found: CodeLine) -> Element:
    """One line with its file and number, in a box that scrolls."""
    said = f"{found.file}, line {found.line}, in which the block is used by {', '.join(found.operations)}"
    code = element("code", element("span", f"{found.file}:{found.line}  ", class_="muted"), found.source)
    return element("pre", code, tabindex="0", role="group", aria_label=said)
