"""A notebook shows the verdict, the blocks and one picture."""

from __future__ import annotations

import numpy as np
from page_cases import Page
from report_cases import agreeing, undecided_report, wrong

import fastgrad


def test_cell():
    """The fragment brings its style, no script, and no page around it."""
    for report in (agreeing(), wrong(), undecided_report()):
        page = Page(report._repr_html_())
        assert page.tags[:2] == ["div", "style"]
        assert not {"script", "html", "body"} & set(page.tags)
        assert page.tags.count("svg") == 1
        assert report.verdict.upper() in page.text


def test_picture():
    """Where something is wrong the picture is a map, else claimed against numeric."""
    said = {
        report.verdict: Page(report._repr_html_()).values("aria-label")[-1]
        for report in (agreeing(), wrong())
    }
    assert said["disagree"].startswith("Map of W")
    assert said["agree"].startswith("Claimed against numeric")


def test_several():
    """Several reports are a line, a table of the checks, and the blocks of those that did not pass."""
    found = fastgrad.check_minimize(
        lambda x: x @ x, np.ones(3), jac=lambda x: 2 * x, hess=lambda x: 2.2 * np.eye(3), points=1
    )
    page = Page(found._repr_html_())
    assert page.tags[:2] == ["div", "style"]
    assert str(found).partition("\n")[0] in page.text
    assert all(name in page.text for name in found.reports)
    assert page.tags.count("table") == 1 + len(found.failed)
    assert len(found.failed) == 2
