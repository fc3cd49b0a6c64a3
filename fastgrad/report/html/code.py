"""The lines of code that the likely mistakes are about, where a recording of the cost knows them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element

from fastgrad.report.code_lines import code_lines
from fastgrad.report.html.elements import element

if TYPE_CHECKING:
    from fastgrad.report.code_lines import CodeLine
    from fastgrad.report.data import ReportData


BLOCKS = 10
"""Blocks at most whose lines are shown: each takes a walk through the recording."""


def lines_of_code(report: ReportData) -> Element | None:
    """The lines of the cost in which the blocks that are wrong are first used; None where none is known.

    Blocks that are used in the same lines are named together.
    """
    lines = code_lines(report.revisit, BLOCKS).lines
    if not lines:
        return None
    of_block: dict[str, list[CodeLine]] = {}
    for line in lines:
        of_block.setdefault(line.block, []).append(line)
    blocks_of: dict[tuple[CodeLine, ...], list[str]] = {}
    for name, found in of_block.items():
        blocks_of.setdefault(tuple(replace(one, block="") for one in found), []).append(name)
    wrong = sum(row.wrong > 0 for row in report.blocks)
    which = f"the {BLOCKS} worst of {wrong:,} blocks" if wrong > BLOCKS else "the blocks"
    parts = [element("p", f"Where the cost uses {which} that are wrong:")]
    for shared, names in blocks_of.items():
        parts += [element("p", _names(names)), *map(_line, shared)]
    return element("div", parts)


def _names(names: list[str]) -> list[Element | str]:
    """Names of blocks, with commas between them."""
    commas = [", "] * (len(names) - 1) + [""]
    return [part for name, comma in zip(names, commas, strict=True) for part in (element("b", name), comma)]


def _line(found: CodeLine) -> Element:
    """One line with its file and number, in a box that scrolls."""
    said = f"{found.file}, line {found.line}, in which the block is used by {', '.join(found.operations)}"
    code = element("code", element("span", f"{found.file}:{found.line}  ", class_="muted"), found.source)
    return element("pre", code, tabindex="0", role="group", aria_label=said)
