"""Elements hold text, never markup."""

from __future__ import annotations

import pytest
from page_cases import Page

from fastgrad.report.html.elements import element, html_of, unbroken, verbatim


def test_children():
    """Children keep their order, None and False are left out, numbers are text."""
    made = element(
        "p", "a", element("b", 1), None, " c", ["d", element("i")], id="x", hidden=False, lang=None
    )
    assert html_of(made) == '<p id="x">a<b>1</b> cd<i></i></p>'


@pytest.mark.parametrize(
    "name", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "&amp;", "a\x1b[2J\nb", "'\u202e"]
)
def test_escaped(name):
    """Whatever a text holds is text in an element, and a value in an attribute."""
    page = Page(html_of(element("p", name, title=name)))
    assert page.tags == ["p"]
    [value] = page.values("title")
    assert value == page.text == name.encode("unicode_escape").decode() if not name.isprintable() else name


def test_attributes():
    """Python's words get their name without a mark, underscores are dashes, SVG's names their capitals."""
    made = element("svg", class_="c", aria_label="l", viewbox="0 0 1 1", disabled=True)
    assert html_of(made) == '<svg class="c" aria-label="l" viewBox="0 0 1 1" disabled=""></svg>'


def test_verbatim():
    """A script keeps its signs."""
    assert html_of(verbatim("script", "a < b && c")) == "<script>a < b && c</script>"


def test_unbroken():
    """Numbers with an exponent are in elements of their own, in which no line ends."""
    made = html_of(element("p", unbroken("from 1.5e-08 to 2e+00, 3 of them")))
    assert (
        made
        == '<p>from <span class="whole">1.5e-08</span> to <span class="whole">2e+00</span>, 3 of them</p>'
    )
