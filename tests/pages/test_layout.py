"""Pages fit every window, and paper; nothing covers another thing."""

from __future__ import annotations

import browser_cases
import pytest
from browser_checks import cut_off, overlapping, wider_than_window

LARGEST = 2_000_000
"""Bytes of a page at most, at 10^6 coordinates."""


@pytest.mark.parametrize("window", ["phone", "desktop", "zoomed", "no scripts", "paper"])
@pytest.mark.parametrize("name", browser_cases.CASES)
def test_everything_fits(look, name, window):
    """On a phone, a desktop, at 200% and on paper nothing is wider than the page, and parts are in a row."""
    page = look(name, window)
    assert wider_than_window(page) == []
    assert overlapping(page) == []


@pytest.mark.parametrize("name", browser_cases.CASES)
def test_paper_shows_whole_tables(look, name):
    """What scrolls on a screen is printed whole."""
    assert cut_off(look(name, "paper")) == []


@pytest.mark.parametrize("name", ["sampled", "all"])
def test_pages_are_small(files, name):
    """The page of 10^6 coordinates, sampled or all checked, is a file of less than 2 MB."""
    assert 10_000 < files(name).stat().st_size < LARGEST


class TestTheChecks:
    """Each check notices a page that was broken on purpose."""

    def test_a_wide_element(self, broken):
        """An element of 2,000 pixels is seen on a phone and on a desktop."""
        wide = '<main class="fastgrad"><div style="width:2000px">wide</div>'
        for window in ("phone", "desktop"):
            found = wider_than_window(broken("wrong", '<main class="fastgrad">', wide, window))
            assert found[0].startswith("the page is 20")
            assert found[1].startswith("DIV")

    def test_a_hidden_overflow(self, broken):
        """So is one that the page does not scroll to, for its overflow is hidden."""
        wide = '<main class="fastgrad" style="overflow:hidden"><div style="width:2000px">wide</div>'
        assert wider_than_window(broken("wrong", '<main class="fastgrad">', wide))

    def test_a_table_cut_off_on_paper(self, broken):
        """A region that scrolls when printed is seen."""
        scrolls = ".fastgrad .scroll { overflow: auto; width: 90px; }</style>"
        assert cut_off(broken("wrong", "</style>", scrolls, "paper"))

    def test_parts_that_overlap(self, broken):
        """Sections pulled over one another are seen."""
        assert overlapping(broken("wrong", "</style>", "section { margin-top: -5rem; }</style>"))

    def test_figures_that_overlap(self, broken):
        """So are figures."""
        assert "two figures overlap" in overlapping(
            broken("wrong", "</style>", ".fastgrad figure + figure { margin-left: -10rem; }</style>")
        )
