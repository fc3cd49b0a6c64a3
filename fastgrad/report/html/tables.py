"""Tables of a page: real ones, with heads for those who listen, in a group that scrolls where it is narrow.

The page's script makes the columns sortable; it reads numbers from the attribute data-value.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from fastgrad.report.html.elements import element


@dataclass(frozen=True)
class Number:
    """A cell that is a number: how it is shown, and what it is sorted by."""

    text: str
    value: float


@dataclass(frozen=True)
class Word:
    """A cell that is a verdict or another word of ours, with the style of that name."""

    text: str
    class_: str


Cell = str | Number | Word


def table(
    caption: str, header: Sequence[str], rows: Sequence[Sequence[Cell]], sortable: bool = False
) -> Element:
    """A table whose first column names the row.

    Parameters
    ----------
    caption : what it lists
    header : the heads of its columns
    rows : as many cells in each as there are heads
    sortable : whether its columns may be sorted
    """
    numeric = [bool(rows) and isinstance(rows[0][k], Number) for k in range(len(header))]
    heads = [
        element("th", name, scope="col", class_="number" if is_number else None)
        for name, is_number in zip(header, numeric, strict=True)
    ]
    made = element(
        "table",
        element("caption", caption),
        element("thead", element("tr", heads)),
        element(
            "tbody",
            [element("tr", [_cell(cell, first=k == 0) for k, cell in enumerate(row)]) for row in rows],
        ),
        class_="sortable" if sortable and len(rows) > 1 else None,
    )
    return element("div", made, class_="scroll", role="group", tabindex="0", aria_label=caption)


def _cell(cell: Cell, first: bool) -> Element:
    tag, scope = ("th", "row") if first else ("td", None)
    if isinstance(cell, Number):
        value = repr(float(cell.value)).replace("inf", "Infinity")  # as JavaScript reads it
        return element(tag, cell.text, scope=scope, class_="number", data_value=value)
    if isinstance(cell, Word):
        return element(tag, cell.text, scope=scope, class_=cell.class_)
    return element(tag, cell, scope=scope)


def count(value: int) -> Number:
    """A whole number."""
    return Number(f"{value:,}", value)


def real(value: float, form: str = ".3g", unknown: str = "") -> Number:
    """A number in the given form; NaN is shown as nothing, or as it is said."""
    return Number(unknown if value != value else f"{value:{form}}", value)
