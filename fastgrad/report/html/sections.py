"""The parts of a report's page, in the order in which they are read: the verdict first.

Each function makes one part, or None where there is nothing to say. Names of blocks and labels are shown as
the text report shows them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element

from fastgrad.report.html.elements import Child, element, unbroken
from fastgrad.report.html.tables import Cell, Number, Word, count, real, table
from fastgrad.report.text import (
    BLOCK_HEADER,
    WORST_SHOWN,
    evaluations_said,
    headline,
    relative_error_line,
    worst_blocks,
)
from fastgrad.verdict.rule import AGREE, DISAGREE, UNDECIDED

if TYPE_CHECKING:
    from fastgrad.report.data import ReportData
    from fastgrad.report.findings import BlockRow, Finding

BLOCKS = 300
"""Rows of the table of blocks at most; those that are worst."""

COORDINATES = 20
"""Coordinates listed at most, of the wrong and of the undecided."""

UNKNOWN = "nan"
"""Of a coordinate: where the claim is not a number, that is what is wrong with it."""

SIGNS = {AGREE: "✓", DISAGREE: "✗", UNDECIDED: "?"}
"""Beside the verdict's word: it is not told by its colour alone."""


def section(number: str, title: str, *children: Child | Sequence[Child]) -> Element:
    """A part with a heading that names it.

    Parameters
    ----------
    number : what its heading is called in this page
    title, children : what is read
    """
    return element("section", element("h2", title, id=number), *children, aria_labelledby=number)


def verdict(report: ReportData, level: str = "h1") -> Element:
    """The verdict, its sentence, the classic measure."""
    said = headline(report).partition(": ")
    return element(
        "header",
        badge(report.verdict, said[0], level),
        element("p", _upper(said[2]), class_="headline"),
        _first_mistake(report),
        element("p", unbroken(_upper(relative_error_line(report))), class_="muted"),
    )


def _first_mistake(report: ReportData) -> Element | None:
    """What is likeliest wrong, before all tables."""
    return element("p", element("b", "Likely: "), report.diagnosis[0]) if report.diagnosis else None


def badge(verdict: str, word: str, level: str) -> Element:
    """The verdict's sign and word."""
    sign = element("span", SIGNS[verdict], aria_hidden="true")
    return element(level, sign, f" {word}", class_=f"verdict {verdict}")


def _upper(sentence: str) -> str:
    """A sentence with a capital letter."""
    return sentence[:1].upper() + sentence[1:]


def coverage(report: ReportData, prefix: str) -> Element:
    """What was checked, and what that proves."""
    found = report.coverage
    return section(
        f"{prefix}coverage",
        "What was checked",
        element("p", f"{_upper(found.sentence)}."),
        element("p", f"In doubt: {report.doubt} [{report.doubt_reference}].") if report.doubt else None,
        element("p", f"Ended early: {report.stopped}.") if report.stopped else None,
        element("p", f"Sample: {found.guarantee.sentence}") if found.guarantee is not None else None,
        element("p", f"Certificate: {found.certificate.sentence}") if found.certificate is not None else None,
    )


def blocks(report: ReportData, prefix: str) -> Element:
    """A row for each block."""
    hidden = len(report.blocks) - BLOCKS
    more = f"{hidden:,} more with as many or fewer wrong are not listed." if hidden > 0 else None
    return section(f"{prefix}blocks", "Blocks", block_table(report), element("p", more) if more else None)


def block_table(report: ReportData) -> Element:
    """The table of the worst blocks, in the user's order."""
    rows = [_block(row, name) for row, name in worst_blocks(report, BLOCKS)]
    return table("Blocks of parameters", BLOCK_HEADER, rows, sortable=True)


def _block(row: BlockRow, name: str) -> tuple[Cell, ...]:
    return (
        name,
        Word(str(row.shape), "shape"),
        Number(row.checked_said, row.checked),
        count(row.wrong),
        count(row.undecided),
        real(row.relative_error, ".2e"),
        real(row.relative_error_interval[1], ".1e"),
        real(row.resolution, ".0e"),
        "" if row.worst is None else row.worst.label,
        Word(row.verdict_said, row.verdict_said.replace(" ", "-")),
    )


def diagnosis(report: ReportData, prefix: str, lines: Element | None = None) -> Element | None:
    """The likely mistakes, with the lines of code that they are about."""
    if not report.diagnosis:
        return None
    return section(f"{prefix}diagnosis", "Likely mistakes", sentences(report.diagnosis), lines)


def sentences(said: Sequence[str]) -> Element | None:
    """A list of sentences; None without any."""
    return element("ul", [element("li", sentence) for sentence in said]) if said else None


def worst(report: ReportData, prefix: str) -> Element | None:
    """The wrong coordinates, worst first; where none is wrong, the worst of each block."""
    found: Sequence[Finding] = report.wrong[:COORDINATES]
    title, caption = "Worst coordinates", "Wrong coordinates, the worst first"
    if not found and report.undecided:
        found, caption = report.undecided[:COORDINATES], "Coordinates that are undecided"
    if not found:
        found = [row.worst for row in report.blocks if row.worst is not None][:WORST_SHOWN]
        caption = "The coordinate of each block that comes nearest to what is allowed"
    if not found:
        return None
    header = ("where", "claimed", "numeric", "difference", "allowed", "relative", "error bound")
    made = table(caption, header, [_finding(one) for one in found], sortable=True)
    hidden = len(report.wrong) - COORDINATES
    more = element("p", f"{hidden:,} more are wrong.") if hidden > 0 else None
    return section(f"{prefix}worst", title, made, more)


def _finding(found: Finding) -> tuple[Cell, ...]:
    return (
        found.label,
        real(found.claimed, ".9g", UNKNOWN),
        real(found.numeric, ".9g", UNKNOWN),
        real(found.absolute_error, ".2e", UNKNOWN),
        real(found.allowed, ".2e", UNKNOWN),
        real(found.relative_error, ".2e", UNKNOWN),
        real(found.error_bound, ".2e", UNKNOWN),
    )


def undecided(report: ReportData, prefix: str) -> Element | None:
    """Why coordinates are undecided, and what to do."""
    if not report.undecided:
        return None
    rows = [
        element("li", element("b", one.label), f" ({one.code}, {one.reference}): {one.cause}")
        for one in report.undecided[:COORDINATES]
    ]
    hidden = len(report.undecided) - COORDINATES
    more = element("p", f"{hidden:,} more are undecided.") if hidden > 0 else None
    return section(f"{prefix}undecided", "Undecided", element("ul", rows), more)


def entries(report: ReportData, prefix: str) -> Element | None:
    """Wrong entries of a Jacobian."""
    if not report.entries:
        return None
    header = ("output", "parameter", "claimed", "numeric", "error bound")
    rows = [
        (
            one.output,
            one.parameter,
            real(one.claimed, ".9g", UNKNOWN),
            real(one.numeric, ".9g", UNKNOWN),
            real(one.error_bound, ".2e", UNKNOWN),
        )
        for one in report.entries[:COORDINATES]
    ]
    caption = "Entries of the Jacobian that are wrong"
    return section(f"{prefix}entries", "Wrong entries", table(caption, header, rows, sortable=True))


def evaluations(report: ReportData, prefix: str) -> Element:
    """Where the evaluations went."""
    spent = report.spent or {"all": report.evaluations}
    total = max(1, sum(spent.values()))
    rows = [
        (what, count(made), Number(f"{made / total:.0%}", made / total))
        for what, made in spent.items()
        if made
    ]
    made = table("Evaluations of the cost", ("made for", "evaluations", "share"), rows, sortable=True)
    said = f"{evaluations_said(report)}."
    if report.reused:
        said += f" {report.reused:,} values came from the checkpoint."
    return section(f"{prefix}evaluations", "Where the evaluations went", element("p", said), made)


def method(report: ReportData, prefix: str, version: str) -> Element:
    """How it was done: all that is needed to do it again."""
    facts: list[tuple[str, str | list[Child]]] = [
        ("differences", report.method),
        ("a coordinate", report.rule),
        ("resolution", f"{report.seen.wanted:g} of each entry was asked for"),
        ("cost at the parameters", f"{report.cost:.17g}"),
        ("noise of the cost", _noise(report)),
        ("perturbed", report.perturbed),
        ("seed", str(report.seed)),
        ("fastgrad", version),
        *(("witness", said) for said in report.witnesses),
        *(("note", note) for note in report.notes),
    ]
    rows = [part for name, said in facts if said for part in (element("dt", name), element("dd", said))]
    return section(f"{prefix}method", "How it was done", element("dl", rows))


def _noise(report: ReportData) -> list[Child]:
    """The noise of blocks; each name by itself, for one that is read from the right would turn its number."""
    shown = dict(zip((row.name for row in report.blocks), report.shown_blocks, strict=True))
    found = list(report.noise.items())[:COORDINATES]
    parts: list[Child] = []
    for k, (name, value) in enumerate(found, 1):
        parts += [element("bdi", shown.get(name, name)), f" {value:.2g}" + (", " if k < len(found) else "")]
    return parts
