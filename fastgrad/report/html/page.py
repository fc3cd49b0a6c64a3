"""One HTML file for a report, or for several: style, script and pictures are in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element

from fastgrad._version import __version__
from fastgrad.printable import shown_names
from fastgrad.report.html import figures, sections
from fastgrad.report.html.code import lines_of_code
from fastgrad.report.html.elements import Child, element, html_of, verbatim
from fastgrad.report.step_curves import step_curves

if TYPE_CHECKING:
    from fastgrad.report.data import ReportData

NOTHING = "data:,"
"""An icon that needs no request: without one a browser asks the server for it."""


def page_of(report: ReportData, title: str = "") -> str:
    """The page of one report.

    Parameters
    ----------
    report : what was found
    title : what was checked, as its reader knows it
    """
    parts = [*_subject(title), article(report)]
    return _document(f"{report.verdict}: {title or 'gradient check'}", parts)


def _subject(title: str) -> list[Element]:
    return [element("p", title, class_="muted subject")] if title else []


def page_of_several(
    reports: Mapping[str, ReportData], verdict: str, headline: str, said: Sequence[str], title: str = ""
) -> str:
    """The page of several reports: a list, then each of them.

    Parameters
    ----------
    reports : by the name of the check
    verdict : over all
    headline : the sentence after its word
    said : sentences below it: what was not checked, and notes
    title : what was checked, as its reader knows it
    """
    names = shown_names(list(reports))
    links = [
        element("a", f"{name}: {report.verdict}", href=f"#r{k}")
        for k, (name, report) in enumerate(zip(names, reports.values(), strict=True), 1)
    ]
    top = verdict_of_several(verdict, headline, links, said)
    parts = [
        article(report, f"r{k}-", element("h2", name, id=f"r{k}", class_="check"))
        for k, (name, report) in enumerate(zip(names, reports.values(), strict=True), 1)
    ]
    named = title or f"{len(parts)} checks"
    return _document(f"{verdict}: {named}", [*_subject(title), top, *parts])


def verdict_of_several(
    verdict: str, headline: str, checks: Sequence[Child], said: Sequence[str], level: str = "h1"
) -> Element:
    """The verdict over several reports, its sentence, and a list of the checks.

    Parameters
    ----------
    verdict : over all
    headline : the sentence after its word
    checks : each with its own verdict
    said : sentences below: what was not checked, and notes
    level : of the heading
    """
    return element(
        "header",
        sections.badge(verdict, verdict.upper(), level),
        element("p", headline, class_="headline"),
        element("ul", [element("li", check) for check in checks]) if checks else None,
        [element("p", one) for one in said],
    )


def article(report: ReportData, prefix: str = "", title: Element | None = None) -> Element:
    """All parts of one report.

    Parameters
    ----------
    report : what was found
    prefix : before the names of its headings, where a page has several reports
    title : of this report, where there are several
    """
    made = element(
        "article",
        title,
        sections.verdict(report, "h1" if title is None else "p"),
        sections.coverage(report, prefix),
        sections.blocks(report, prefix),
        sections.worst(report, prefix),
        sections.entries(report, prefix),
        sections.undecided(report, prefix),
        sections.diagnosis(report, prefix, lines_of_code(report)),
        figures.maps(report, prefix),
        figures.claimed_against_numeric(report, prefix),
        figures.curves(step_curves(report.revisit), prefix),
        sections.evaluations(report, prefix),
        sections.method(report, prefix, __version__),
    )
    if title is not None:
        _put_below(title, made)
    return made


def _put_below(title: Element, made: Element) -> None:
    """Make the parts of an article parts of what its title names, for those who listen."""
    for part in made.iter("section"):
        part.set("aria-labelledby", f"{title.get('id')} {part.get('aria-labelledby')}")
        for heading in part.iter("h2"):
            heading.tag = "h3"


def _document(title: str, parts: Sequence[Element]) -> str:
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", f"{title} - fastgrad"),
        element("link", rel="icon", href=NOTHING),
        verbatim("style", own_file("page.css")),
    )
    main = element("main", list(parts), class_="fastgrad")
    body = element("body", main, verbatim("script", own_file("page.js")), class_="page")
    return "<!DOCTYPE html>\n" + html_of(element("html", head, body, lang="en")) + "\n"


def own_file(name: str) -> str:
    """The text of a file that lies beside this module."""
    return (files(__package__) / name).read_text(encoding="utf-8")
