"""Links of the built site, and of the pages that are read on their own, lead somewhere."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def links(monkeypatch):
    """docs/links.py as a module."""
    monkeypatch.syspath_prepend(str(ROOT / "docs"))
    import links

    yield links
    sys.modules.pop("links", None)


@pytest.fixture
def site(tmp_path):
    """A site of two pages and a style."""
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "b.html").write_text('<h1 id="top">b</h1><a href="../a.html">a</a>')
    (tmp_path / "style.css").write_text("p { background: url(picture.png) }")

    def made(body):
        (tmp_path / "a.html").write_text(body)
        return tmp_path

    return made


def test_a_whole_site(links, site):
    """Pages, anchors on this page and on others, queries, and other sites are no fault."""
    body = '<p id="x">p</p><a href="#x">1</a><a href="deep/b.html#top">2</a><link href="style.css?v=1">'
    assert links.faults(site(body + '<a href="https://example.org/nowhere">3</a>')) == []


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ('<a href="c.html">', "a.html: c.html: there is no such file"),
        ('<a href="deep/b.html#end">', "a.html: deep/b.html#end: there is no such anchor"),
        ('<a href="#end">', "a.html: #end: there is no such anchor"),
        ('<img src="picture.svg">', "a.html: picture.svg: there is no such file"),
        (
            '<script src="https://example.org/a.js">',
            "a.html: https://example.org/a.js: comes from the network",
        ),
        ('<link href="//example.org/a.css">', "a.html: //example.org/a.css: comes from the network"),
    ],
)
def test_faults(links, site, body, fault):
    """What leads nowhere, or loads from elsewhere, is named with its page."""
    assert links.faults(site(body)) == [fault]


def test_fonts_from_elsewhere(links, site):
    """A style that loads from elsewhere is found, in all of its forms."""
    folder = site("")
    (folder / "style.css").write_text('@import "https://a.org/f.css"; p { src: url(//b.org/f.woff2) }')
    assert [line.split(": ")[1] for line in links.faults(folder)] == [
        "https://a.org/f.css",
        "//b.org/f.woff2",
    ]


def slugs(page):
    """The anchors of a page's headings, as GitHub and Sphinx make them."""
    headings = re.findall(r"(?m)^#+ (.+)$", page.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
def test_pages_that_are_read_in_the_repository(name):
    """Each link from the README and CONTRIBUTING leads to a file, and to a heading in it."""
    text = (ROOT / name).read_text(encoding="utf-8")
    found = [link for link in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in link]
    for link in found:
        path, _, anchor = link.partition("#")
        assert (ROOT / path).exists(), link
        assert not anchor or anchor in slugs(ROOT / path), link
