"""A page is one file: nothing of it comes from elsewhere, and nothing of the user's acts in it."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from page_cases import Page
from report_cases import agreeing, report_of, undecided_report, wrong

import fastgrad
from fastgrad.printable import shown_names
from fastgrad.report.html.page import own_file

REPORTS = {"right": agreeing, "wrong": wrong, "undecided": undecided_report}


@pytest.mark.parametrize("report", REPORTS.values(), ids=REPORTS)
def test_self_contained(report):
    """No element loads anything: there are no addresses but the empty icon."""
    html = report().to_html()
    page = Page(html)
    assert set(page.values("href")) == {"data:,"}
    assert not page.values("src")
    assert not re.findall(r"url\(|@import|https?://", html)


@pytest.mark.parametrize("report", REPORTS.values(), ids=REPORTS)
def test_parts(report):
    """The verdict comes first; each part has a heading that names it, and each name is there once."""
    page = Page(report().to_html())
    parts = page.values("aria-labelledby")
    ids = page.values("id")
    assert parts == ids
    assert len(set(ids)) == len(ids)
    assert page.tags.count("h1") == 1
    assert ids[:2] == ["coverage", "blocks"]
    assert ids[-2:] == ["evaluations", "method"]
    assert ("lang", "en") in [(name, value) for _, name, value in page.attributes]


def test_numbers_without_scripts():
    """All numbers of the text's tables are in the page as it is read without scripts."""
    report = wrong()
    said = Page(report.to_html()).text
    for found in report.wrong:
        for number in (f"{found.claimed:.9g}", f"{found.numeric:.9g}", f"{found.error_bound:.2e}"):
            assert number in said


def test_written(tmp_path):
    """The file holds what is returned, and the same report gives the same file."""
    html = wrong().to_html(tmp_path / "report.html")
    assert (tmp_path / "report.html").read_text(encoding="utf-8") == html == wrong().to_html()


def test_no_control_over_the_page():
    """Names that are markup change no tag of the page."""
    plain = Page(report_of({"W": {(0, 0): 1.0}}, sizes=(("W", (2, 2)), ("b", (2,)))).to_html())
    names = ("</style><script>alert(1)</script>", '"><img src=x onerror=alert(1)>')
    report = report_of({names[0]: {(0, 0): 1.0}}, sizes=((names[0], (2, 2)), (names[1], (2,))))
    page = Page(report.to_html())
    assert page.tags == plain.tags
    for name in shown_names(names):
        assert name in page.text


@settings(max_examples=25, deadline=None)
@given(st.text(min_size=1, max_size=30), st.text(max_size=30))
def test_any_names(one, other):
    """Whatever names and notes are, the tags are the same."""

    def page(first, second, note):
        params = {first: np.ones(3), f"{first}.{second}": np.ones(3)}

        def cost(p):
            return float(sum((v**2).sum() for v in p.values()))

        report = fastgrad.check_gradient(cost, {k: 2 * v + 1 for k, v in params.items()}, params)
        object.__setattr__(report, "notes", (note,))
        return Page(report.to_html())

    assert page(one, other, one + other).tags == page("a", "b", "c").tags


def noisy(names, shape):
    """A report whose every coordinate is off by chance: nothing of a picture can be put together."""
    rng, size = np.random.default_rng(0), int(np.prod(shape)) * len(names)
    row = replace(agreeing().blocks[0], shape=shape, size=size // len(names), checked=size // len(names))
    claimed = rng.normal(size=size) * 10.0 ** rng.uniform(-9, 9, size)
    return replace(
        agreeing(),
        blocks=tuple(replace(row, name=name, wrong=k) for k, name in enumerate(names)),
        indices=np.arange(size),
        claimed=claimed,
        numeric=claimed + rng.normal(size=size),
        allowed=10.0 ** rng.uniform(-3, 3, size),
        states=rng.integers(0, 3, size).astype(np.uint8),
    )


@pytest.mark.parametrize(
    ("count", "shape"), [(1, (1000, 1000)), (400, (64, 64)), (2000, (10,))], ids=["one", "blocks", "many"]
)
def test_size(count, shape):
    """A page of a million coordinates is under 2 MB, whatever they look like and however long their names."""
    report = noisy([f"{'encoder.layer.' * 6}{k}" for k in range(count)], shape)
    assert len(report.to_html().encode()) < 2e6


class TestSeveral:
    def test_parts(self):
        """Each check has its parts under its name; names of headings differ."""
        found = fastgrad.check_minimize(lambda x: x @ x, np.ones(3), jac=lambda x: 2.2 * x, points=1)
        page = Page(found.to_html())
        ids = page.values("id")
        assert len(set(ids)) == len(ids)
        assert page.tags.count("article") == len(found.reports)
        assert page.tags.count("h1") == 1
        assert {f"#r{k}" for k in range(1, len(found.reports) + 1)} <= set(page.values("href"))
        for name in found.reports:
            assert f"{name}: disagree" in page.text
        assert "jac at x0 and 1 more disagree; 0 of 2 checks passed." in page.text

    def test_parts_are_below_names(self):
        """Headings of parts are a level below the name of their check, and parts are named after both."""
        found = fastgrad.check_minimize(lambda x: x @ x, np.ones(3), jac=lambda x: 2.2 * x, points=1)
        page = Page(found.to_html())
        assert page.tags.count("h2") == len(found.reports)
        assert page.tags.count("h3") == len(page.values("aria-labelledby"))
        assert page.values("aria-labelledby")[0] == "r1 r1-coverage"

    def test_written(self, tmp_path):
        """The file holds what is returned."""
        found = fastgrad.check_minimize(lambda x: x @ x, np.ones(3), jac=lambda x: 2 * x, points=1)
        html = found.to_html(tmp_path / "several.html")
        assert (tmp_path / "several.html").read_text(encoding="utf-8") == html


def test_own_files():
    """Style and script end no element that they stand in."""
    for name in ("page.css", "page.js"):
        assert "</" not in own_file(name)
