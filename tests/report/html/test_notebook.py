"""A notebook shows the verdict, the blocks and one picture."""

from __future__ import annotations

import re

from page_cases import Page
from report_cases import agreeing, undecided_report, wrong

from fastgrad.report.reports import Reports


def test_cell():
    """The fragment brings its style, no script, and no page around it."""
    for report in (agreeing(), wrong(), undecided_report()):
        page = Page(report._repr_html_())
        assert page.tags[:2] == ["div", "style"]
        assert not {"script", "html", "body"} & set(page.tags)
        assert page.tags.count("svg") == 1
        assert report.verdict.upper() in page.text


def test_colours_of_its_own():
    """In a notebook with a dark theme its light shades are not below that theme's light letters."""
    found = re.findall(r"([^{}]+)\{([^{}]*)\}", agreeing()._repr_html_())
    style = {selector.strip(): rules for selector, rules in reversed(found)}
    assert "background: var(--paper); color: var(--ink)" in style[".fastgrad"]
    assert "color: inherit" in style[".fastgrad table"]
    assert "background: var(--paper)" in style[".fastgrad th, .fastgrad td"]  # notebooks shade rows


def test_picture():
    """Where something is wrong the picture is a map, else claimed against numeric."""
    said = {
        report.verdict: Page(report._repr_html_()).values("aria-label")[-1]
        for report in (agreeing(), wrong())
    }
    assert said["disagree"].startswith("Map of W")
    assert said["agree"].startswith("Claimed against numeric")


def test_several():
    """Several reports are their verdict and a list, with what was not checked."""
    page = Page(Reports({"a": agreeing(), "<b>": wrong()}, ("a note",), ("c",))._repr_html_())
    assert page.tags[:2] == ["div", "style"]
    assert not {"script", "html", "body", "a", "b"} & set(page.tags)
    read = "DISAGREE <b> disagrees; 1 of 2 checks passed. a: agree <b>: disagree not checked: c a note"
    assert read in " ".join(page.text.split())
    assert "UNDECIDED" in Page(Reports({}, (), ("c",))._repr_html_()).text
